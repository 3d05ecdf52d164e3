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

// npm run bench [-- PART …] [--markdown]: all parts, or those that are named. Each prints its table when it ends, so that a later part
// cannot lose it. --markdown adds the table of docs/performance.md at the end.
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
  const measured = await part().catch((error: unknown): readonly Row[] => {
    console.error(error);
    process.exitCode = 1;
    return [{ work: name, contender: "the whole part", figure: `failed: ${(error as Error).message}` }];
  });
  rows.push(...measured);
  console.log(
    `\n${name}, ${((performance.now() - start) / 1000).toFixed(0)} s\n${table(measured, { markdown: false })}`,
  );
}
console.log(`\n${machine()}`);
if (markdown) console.log(`\n${table(rows, { markdown })}`);
const missing = missed(rows);
console.log(missing === 0 ? "\nevery bar met" : `\n${missing} bars missed`);
