// The kinds of portal that are shipped: one data file each.

import medplum from "../portals/medplum.json" with { type: "json" };

/** @type {PortalFile[]} */
export const KINDS = [/** @type {PortalFile} */ (medplum)];

/** @param {string} kind @returns {PortalFile | null} */
export const portal_file = (kind) => KINDS.find((file) => file.kind === kind) ?? null;
