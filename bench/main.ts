import { audit } from "./audit.ts";
import { batch } from "./batch.ts";
import { claims } from "./claims.ts";
import { large } from "./large.ts";
import { links } from "./links.ts";
import { listing } from "./listing.ts";
import { machine } from "./machine.ts";
import { routes } from "./routes.ts";
import type { Part, Row } from "./row.ts";
import { rsa } from "./rsa.ts";
import { serve } from "./serve.ts";
import { sign } from "./sign.ts";
import { missed, table } from "./table.ts";
import { verify } from "./verify.ts";

// npm run bench [-- PART …] [--markdown]: one table over all parts, or over those that are named.
const PARTS: Readonly<Record<string, Part>> = {
  sign,
  verify,
  rsa,
  batch,
  serve,
  large,
  listing,
  links,
  claims,
  audit,
  routes,
};

const args = process.argv.slice(2);
const markdown = args.includes("--markdown");
const names = args.filter((argument) => argument !== "--markdown");
const unknown = names.find((name) => !(name in PARTS));
if (unknown !== undefined) {
  console.error(`expected parts of ${Object.keys(PARTS).join(", ")}, and --markdown; found ${unknown}`);
  process.exit(2);
}

const rows: Row[] = [];
for (const [name, part] of Object.entries(PARTS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const start = performance.now();
  rows.push(...(await part()));
  console.error(`${name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
}
console.log(`\n${machine()}\n\n${table(rows, { markdown })}`);
const missing = missed(rows);
console.log(missing === 0 ? "\nevery bar met" : `\n${missing} bars missed`);
