import { dirname } from "node:path/posix";

// Which file may import which: rules that compare the importing file with the imported one.
// `from` and `to` are paths from the root of the workspace (`to` may also be a bare specifier). What is on no list is a
// fault, so that a new folder or package has to be thought about once.

/**
 * One import or re-export, by type or by value.
 * @typedef {object} Import
 * @property {string} from
 * @property {string} to
 * @property {readonly string[]} names what is taken from there; `*` for all of it
 */

const lib = "packages/daypass/src/";
const gateway = "packages/gateway/src/";

/** @param {string} outer @param {string} inner */
const holds = (outer, inner) => inner === outer || inner.startsWith(`${outer}/`);

/**
 * What each folder of the library may import, in addition to itself and `#crypto`. Paths are from packages/daypass/src/. The first row that
 * matches a file applies.
 * @type {readonly { part: RegExp, sees: readonly RegExp[], why: string }[]}
 */
const libraryParts = [
  {
    part: /^(?:core|wire)\//,
    sees: [/^(?:core|wire)\//],
    why: "the core serves every scheme, so it may know none of them",
  },
  { part: /^crypto\//, sees: [/^(?:core|wire)\//], why: "crypto knows no scheme" },
  {
    part: /^(?:forms|edge)\//,
    sees: [/^(?:core|wire|crypto)\//],
    why: "an engine serves many schemes, so it may know none",
  },
  {
    part: /^schemes\//,
    sees: [/^(?:core|wire|crypto|forms|edge)\//],
    why: "a scheme stands alone: move shared code to core/, edge/, forms/ or the folder above (only explain/ and schemes.ts know all)",
  },
  {
    part: /^adapters\//,
    sees: [/^(?:core|wire)\//],
    why: "an adapter turns a server's request into ours; it knows no scheme",
  },
  {
    part: /^routes\//,
    sees: [/^(?:core|wire|adapters)\//, /^schemes\/url\/index\.ts$/],
    why: "a signed route is a Daypass URL behind a guard; it knows no other scheme",
  },
  { part: /^presets\//, sees: [/^(?:core|wire)\//], why: "a preset is data about a provider" },
  { part: /^explain\//, sees: [/^/], why: "" },
  {
    part: /^schemes\.ts$/,
    sees: [/^(?:core|wire|schemes)\//],
    why: "the registry names the schemes, and nothing else",
  },
  { part: /^index\.ts$/, sees: [/^(?:core|wire|forms)\//], why: "the main entry point holds no scheme" },
];

/** Why a file of the library may not import another one of it. Paths are from packages/daypass/src/. @param {string} from @param {string} to */
function libraryFault(from, to) {
  if (!from.startsWith("crypto/") && /^crypto\/(\w+-)?(node|portable)\.ts$/.test(to)) {
    return "the runtime chooses its crypto through the #crypto imports map";
  }
  const row = libraryParts.find(({ part }) => part.test(from));
  if (row === undefined) return "no row in tools/import-rules.mjs says what this folder may import: add one";
  const [own, other] = [dirname(from), dirname(to)];
  // The tables beside a scheme are loaded lazily, and name its versions too.
  if (/\/(?:fields|example)\.ts$/.test(from) && holds(own, other)) return undefined;
  // A version of a scheme may use the folders above it. The newer version may not use the older one: each bundle would grow.
  const isAbove = holds("schemes", own)
    ? other !== "schemes" && holds(other, own)
    : holds(own.split("/")[0] ?? "", other);
  return isAbove || row.sees.some((seen) => seen.test(to)) ? undefined : row.why;
}

const library = /^daypass($|\/)/;
const runtime = /^node:/;
const http = /^http\//;
const steps = /^pipeline\//;
const operations = /^operations\//;
const contracts = /^storage\/contract\//;
// The types of a route, and pure functions over them.
const upstream = /^upstream\/(contract|headers|limited-body|plain-path|route-table)\.ts$/;
// The brands of the steps, and what carries them.
const permit = /^permit\.ts$/;
// Links and the contract of their state.
const links = /^(?:links|state\/contract)\//;
const sqlite = /^sqlite\//;
const ALONE = "a driver sees its contract, http/ and the library, so that it can be replaced alone";

/**
 * What each part of the gateway may import: itself, the listed files of packages/gateway/src/, and the listed packages. The first row that
 * matches a file applies.
 * @type {readonly { part: RegExp, own?: (name: string) => RegExp, sees: readonly RegExp[], why: string }[]}
 */
const parts = [
  {
    part: http,
    sees: [/^daypass$/, /^mrmime$/],
    why: "http/ is pure functions over headers: it sees the library's types, a table of media types, and itself",
  },
  {
    part: permit,
    sees: [http, contracts, library, /^pipeline\/(key-scope|receive|scope-match)\.ts$/],
    why: "the brands name what the first steps read, and no step that uses them",
  },
  {
    part: steps,
    // The last two write the refusals that come before any protocol is chosen.
    sees: [
      http,
      contracts,
      library,
      permit,
      links,
      /^node:stream$/,
      /^protocols\/(protocol|marks|page|text-answer)\.ts$/,
    ],
    why: "steps work on contracts: the composition root chooses protocols and driver",
  },
  {
    part: operations,
    sees: [http, contracts, library, permit, steps, links, upstream, /^node:stream$/],
    why: "operations never see the wire: protocols call them, and the composition root chooses the driver",
  },
  {
    part: /^protocols\/[^/]+$/,
    sees: [http, contracts, library, permit, steps, operations, /^pages\//],
    why: "what all dialects share may know none of them",
  },
  {
    part: /^protocols\/sts\//,
    // Its calls are signed with S3's access keys, and its errors are S3's.
    sees: [http, contracts, library, permit, steps, operations, /^protocols\/([^/]+$|s3\/)/],
    why: "the Security Token Service knows S3's keys, and no other dialect",
  },
  {
    part: /^protocols\/route\//,
    // Its URLs are Daypass URLs, and its visits belong to links.
    sees: [http, contracts, library, permit, steps, operations, links, upstream, /^protocols\/([^/]+$|url\/)/],
    why: "a dialect stands alone: what two need belongs to protocols/, and the composition root chooses the driver",
  },
  {
    part: /^protocols\/link\//,
    sees: [http, contracts, library, permit, steps, operations, links, upstream, /^pages\//, /^protocols\/[^/]+$/],
    why: "a dialect stands alone: what two need belongs to protocols/, and the composition root chooses the driver",
  },
  {
    part: /^protocols\/([^/]+)\//,
    own: (name) => new RegExp(`^protocols/${name}/`),
    sees: [http, contracts, library, permit, steps, operations, /^protocols\/[^/]+$/],
    why: "a dialect stands alone: what two need belongs to protocols/, and the composition root chooses the driver",
  },
  {
    part: contracts,
    sees: [http, /^node:(crypto|stream)$/],
    why: "a contract of storage knows no driver",
  },
  {
    part: /^storage\/drivers\.ts$/,
    sees: [contracts, /^storage\/[^/]+\/index\.ts$/],
    why: "the list of drivers names them, and does nothing else",
  },
  {
    part: /^storage\/disk\//,
    sees: [contracts, http, library, runtime, sqlite],
    why: ALONE,
  },
  { part: sqlite, sees: [runtime, /^@photostructure\/sqlite$/], why: "it opens databases, and knows no table" },
  { part: /^state\/contract\//, sees: [/^node:crypto$/], why: "the contract of a state hashes, and knows no engine" },
  {
    part: /^state\/sqlite\//,
    sees: [/^state\/contract\//, sqlite, runtime],
    why: "an engine of the state sees its contract, so that it can be replaced alone",
  },
  {
    part: /^state\/postgres\//,
    sees: [/^state\/contract\//, runtime, /^pg$/],
    why: "an engine of the state sees its contract, so that it can be replaced alone",
  },
  { part: /^state\//, sees: [runtime], why: "the state knows no link and no request" },
  {
    part: /^links\//,
    sees: [
      ...[upstream, /^state\/contract\//, contracts, library, runtime, /^pipeline\/refusal\.ts$/, /^client-zip$/],
      // The owner of a link sets headers of its response.
      /^http\/content-headers\.ts$/,
    ],
    why: "links are domain functions over the state: no HTTP, no SQL",
  },
  {
    part: /^audit\//,
    sees: [/^state\/contract\//, /^pages\//, /^node:crypto$/],
    why: "the audit signs and verifies texts over the contract of a state, and prints a receipt as a page",
  },
  {
    part: /^notify\//,
    sees: [/^state\/contract\//, runtime],
    why: "notifications are sent out of the outbox of a state, and know no link",
  },
  { part: /^pages\//, sees: [/^node:(crypto|zlib)$/], why: "a page is made of what it is given" },
  {
    part: /^forward-auth\//,
    // A separate composition root: it decides as a gateway does, and forwards nothing.
    sees: [
      http,
      contracts,
      library,
      permit,
      steps,
      links,
      upstream,
      runtime,
      /^(protocols|gateway|options)\.ts$/,
      /^protocols\/(route|url|link\/path\.ts$|[^/]+$)/,
    ],
    why: "a decision takes the steps of a gateway up to the permit, and touches no storage",
  },
  {
    part: /^upstream\//,
    sees: [http, contracts, library, runtime, /^pipeline\/refusal\.ts$/, /^undici$/],
    why: "upstreams are told what to send: they know no grant",
  },
  {
    part: /^admin\//,
    sees: [
      links,
      contracts,
      library,
      runtime,
      /^(audit|notify)\//,
      /^pipeline\/(refusal|scope-match)\.ts$/,
      /^hono(\/http-exception)?$/,
      /^@hono\/zod-openapi$/,
    ],
    why: "the admin API works on links and contracts, and has no socket",
  },
  {
    part: /^storage\/([^/]+)\//,
    own: (name) => new RegExp(`^storage/${name}/`),
    sees: [contracts, http, library, runtime],
    why: ALONE,
  },
  { part: /^unchecked\.ts$/, sees: [], why: "it knows nothing" },
  { part: /^xml\.ts$/, sees: [/^http\/xml-reader\.ts$/], why: "programs that read XML load it alone" },
  {
    part: /^scope\.ts$/,
    sees: [/^pipeline\/(scope-match|key-scope)\.ts$/],
    why: "programs that sign load it: it is one rule, and the types of it",
  },
  {
    part: /^node\//,
    sees: [/^gateway\.ts$/, http, contracts, steps, library, runtime, /^pino$/],
    why: "the server takes a gateway that is there: it chooses neither protocols nor driver",
  },
  {
    part: /^testing\//,
    sees: [/^((gateway|options)\.ts$|(http|node|operations|pipeline|protocols|storage|state)\/)/, library, runtime],
    why: "what tests are handed needs no further package",
  },
  {
    part: /^(gateway|options|settings|protocols|index)\.ts$/,
    sees: [
      http,
      contracts,
      library,
      permit,
      steps,
      operations,
      links,
      upstream,
      /^protocols\//,
      /^node:(crypto|stream)$/,
    ],
    why: "the composition root is told its driver, and has no socket",
  },
];

/** Why a file of the gateway may not import something. Paths are from packages/gateway/src/. @param {string} from @param {string} to */
function gatewayFault(from, to) {
  // It knows nothing, and every part may need it.
  if (to === "unchecked.ts") return undefined;
  const row = parts.find(({ part }) => part.test(from));
  if (row === undefined) return "no row in tools/import-rules.mjs says what this folder may know: add one";
  const [, name = ""] = row.part.exec(from) ?? [];
  const own = row.own?.(name) ?? row.part;
  return [own, ...row.sees].some((seen) => seen.test(to)) ? undefined : row.why;
}

// `env`, `argv`, `exit` and the streams belong to the command line, under whatever name they come.
const ofProcess = ["getBuiltinModule", "pid", "platform"];

/** @type {readonly ((imported: Import) => string | undefined)[]} */
const rules = [
  ({ from, to }) =>
    from.startsWith(lib) && to.startsWith(lib) ? libraryFault(from.slice(lib.length), to.slice(lib.length)) : undefined,
  ({ from, to }) =>
    (/^packages\/gateway\//.test(from) && /^daypass\/explain/.test(to)) ||
    (from.startsWith(lib) && !from.startsWith(`${lib}explain/`) && to.startsWith(`${lib}explain/`))
      ? "only the command line imports explain/"
      : undefined,
  ({ from, to }) => {
    if (!from.startsWith(gateway) || (to.startsWith("packages/") && !to.startsWith(gateway))) return undefined;
    return gatewayFault(from.slice(gateway.length), to.startsWith(gateway) ? to.slice(gateway.length) : to);
  },
  ({ from, to, names }) =>
    !from.startsWith("packages/cli/") && /^(node:)?process$/.test(to) && names.some((name) => !ofProcess.includes(name))
      ? "environment, arguments, streams and exit codes belong to the command line"
      : undefined,
  ({ from, to }) =>
    /^@daypass\/cli/.test(to) || (from.startsWith(lib) && /^(@daypass|daypass)(\/|$)/.test(to))
      ? "dependencies point one way: cli, then gateway, then library"
      : undefined,
  ({ from, to }) =>
    to.startsWith("packages/") && from.split("/")[1] !== to.split("/")[1]
      ? "another package is reached by its name, as its users reach it"
      : undefined,
];

/** Every reason for which an import must not be. @param {Import} imported */
export function faultsOf(imported) {
  return rules.map((broken) => broken(imported)).filter((why) => why !== undefined);
}
