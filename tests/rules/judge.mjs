// Answers by engine.js: one JSON job a line in, one JSON list of answers a line out, in order.
import {createInterface} from "node:readline";
import {evaluate, inCodes, load, version, withSettings} from "../../shared_rules/engine.js";

const books = new Map();

function book({documents, facts, name}) {
  if (name === undefined) return load(documents, facts);
  if (documents !== undefined) books.set(name, load(documents, facts));
  return books.get(name);
}

function told(work) {
  try {
    return work();
  } catch (problem) {
    if (!["RulesError", "FactError", "SettingError"].includes(problem.constructor.name)) throw problem;
    return {error: problem.message};
  }
}

function answers(job) {
  if (job.codes !== undefined) return [inCodes(job.entries, job.codes, job.on)];
  const rules = told(() => withSettings(version(book(job.book), job.family, job.payer_type, job.on), job.settings));
  if (rules.error !== undefined) return job.given.map(() => rules);
  return job.given.map((facts) => told(() => evaluate(rules, facts)));
}

for await (const line of createInterface({input: process.stdin})) {
  process.stdout.write(`${JSON.stringify(answers(JSON.parse(line)))}\n`);
}
