// The kinds of portal that are shipped: one data file each, read when it is needed.

import { packaged } from "./backend.js";

/** The stems of portals/*.json. */
export const KINDS = [
  "medplum",
  "bahmni",
  "openemr",
  "openemr-mail",
  "openmrs",
  "oscar",
  "ottehr",
  "roundcube",
  "spruce",
];

/** @param {string} kind one of KINDS @returns {Promise<PortalFile>} */
export const portal_file = (kind) => packaged(`portals/${kind}.json`);
