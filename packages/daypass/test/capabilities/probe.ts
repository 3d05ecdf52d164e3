import { EXAMPLE_ORIGINS } from "../../src/core/example.ts";
import type { JsonObject } from "../../src/core/fields.ts";
import { type Constraints, type Grant, isDaypassError, type SignedRequest, type WireRequest } from "../../src/index.ts";
import { AT, LIFE, type Subject, wire } from "../registry.ts";

export type ProbeConstraints = Constraints & { readonly method?: string };

/** Signs the example's resource with these constraints, in the scheme's own words. */
export async function sign(
  { example }: Subject,
  constraints: ProbeConstraints | JsonObject,
  at: Date,
): Promise<SignedRequest> {
  const asked = example.probe?.request?.(constraints as JsonObject) ?? constraints;
  return (await example.signer(() => at).sign({ ...example.request, ...asked } as never)) as SignedRequest;
}

function verify({ example, verifier }: Subject, request: WireRequest, at: Date, scheme = "https:"): Promise<Grant> {
  const { origins = EXAMPLE_ORIGINS } = example;
  const options = { clock: () => at, origins: origins.map((origin) => origin.replace("https:", scheme)) };
  return verifier(example.keys.right, options).verify(request);
}

/** The results of all experiments on one scheme. */
export interface Capabilities {
  /** The row of the table. */
  readonly scheme: string;
  /** By constraint: bound, bound for some names only, refused by the signer, or an obligation of the grant. */
  readonly constraints: Readonly<Record<string, "binds" | "some" | "obligation" | "refuses">>;
  /** Changes of a plain URL that the verifier accepted. */
  readonly leavesOpen: readonly string[];
}

const later = (seconds: number): Date => new Date(AT.getTime() + seconds * 1000);
const SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const PEER = "203.0.113.9";

interface Experiment {
  readonly constraint: string;
  ask(subject: Subject): ProbeConstraints;
  /** The request that the holder sends, if the signer does not list all of its headers. */
  honest?(request: WireRequest): WireRequest;
  /** The request that must be refused. */
  broken(request: WireRequest): WireRequest;
  readonly obligation?: Grant["obligations"][number]["kind"];
  /** The same with an unknown name: whether a scheme that binds some names binds any. */
  readonly any?: ProbeConstraints;
}

const put = (bind: Constraints["bind"]): ProbeConstraints => ({ method: "PUT", expiresIn: LIFE, bind });

const experiments: readonly Experiment[] = [
  {
    constraint: "bind.contentType",
    ask: () => put({ contentType: "image/png" }),
    honest: (request) => header(request, "content-type", "image/png"),
    broken: (request) => header(request, "content-type", "text/html"),
  },
  {
    constraint: "bind.contentLength",
    ask: () => put({ contentLength: 5 }),
    honest: (request) => header(request, "content-length", "5"),
    broken: (request) => header(request, "content-length", "6"),
    obligation: "body-length",
  },
  {
    constraint: "bind.contentLength (range)",
    ask: () => put({ contentLength: { min: 1, max: 9 } }),
    honest: (request) => header(request, "content-length", "5"),
    broken: (request) => header(request, "content-length", "10"),
    obligation: "body-length",
  },
  {
    constraint: "bind.sha256",
    ask: () => put({ sha256: SHA256 }),
    broken: (request) => ({
      ...request,
      headers: request.headers.map(([name, value]) => [name, value === SHA256 ? SHA256.replace("2", "3") : value]),
    }),
    obligation: "body-sha256",
  },
  {
    constraint: "bind.headers",
    ask: ({ example: { probe: { header = "x-trace" } = {} } }) => ({
      expiresIn: LIFE,
      bind: { headers: { [header]: "a" } },
    }),
    broken: (request) => ({ ...request, headers: request.headers.map(([name]) => [name, "b"]) }),
    any: { expiresIn: LIFE, bind: { headers: { "x-other": "a" } } },
  },
  {
    constraint: "bind.query",
    ask: ({ example: { probe: { query = "variant" } = {} } }) => ({
      expiresIn: LIFE,
      bind: { query: { [query]: "a1" } },
    }),
    broken: (request) => ({ ...request, target: request.target.replace("=a1", "=a2") }),
    any: { expiresIn: LIFE, bind: { query: { zz: "a" } } },
  },
  {
    constraint: "bind.ip",
    ask: () => ({ expiresIn: LIFE, bind: { ip: PEER } }),
    broken: (request) => ({ ...request, remoteAddress: "198.51.100.7" }),
  },
  {
    constraint: "response",
    ask: () => ({ expiresIn: LIFE, response: { contentDisposition: "attachment" } }),
    broken: (request) => ({ ...request, target: request.target.replace("attachment", "inline") }),
    obligation: "response",
  },
];

/** Tries every constraint on one example. A constraint counts as bound only if a broken request was refused. */
export async function probe(subject: Subject): Promise<Capabilities> {
  const held = (what: string, experiment: () => Promise<boolean>) =>
    named(`${subject.name}, ${what}`, () => binds(experiment));
  const constraints: Record<string, "binds" | "some" | "obligation" | "refuses"> = {
    "expiresIn, expiresAt": await held("expiresIn, expiresAt", async () => {
      const link = await sign(subject, { expiresIn: LIFE }, AT);
      const same = await sign(subject, { expiresAt: later(LIFE) }, AT);
      await accepted(subject, wire(link), later(LIFE - 1));
      await accepted(subject, wire(same), later(LIFE - 1));
      return (await isRefused(subject, wire(link), later(LIFE))) && isRefused(subject, wire(same), later(LIFE));
    }),
    notBefore: await held("notBefore", async () => {
      const link = await sign(subject, { expiresIn: 4 * LIFE, notBefore: later(600) }, AT);
      await accepted(subject, wire(link), later(600));
      return isRefused(subject, wire(link), later(599));
    }),
    stableWindow: await held("stableWindow", async () => {
      const at = (seconds: number) => sign(subject, { expiresIn: LIFE, stableWindow: 60 }, later(seconds));
      // 03:04:05: the window ends 55 s later.
      const [first, second, third] = [await at(0), await at(54), await at(55)];
      return first.url === second.url && first.url !== third.url;
    }),
    prefix: await held("prefix", async () => {
      const { value, elsewhere } = subject.example.probe?.prefix ?? {
        value: "talks/",
        elsewhere: (url: string) => url,
      };
      const link = await sign(subject, { expiresIn: LIFE, prefix: value }, AT);
      await accepted(subject, wire({ ...link, url: elsewhere(link.url) }), AT);
      return isRefused(subject, wire({ ...link, url: link.url.replace("talks", "other") }), AT);
    }),
  };
  for (const experiment of experiments) {
    const { constraint } = experiment;
    constraints[constraint] = await named(`${subject.name}, ${constraint}`, () => run(experiment, subject));
  }
  return { scheme: subject.example.probe?.row ?? subject.name, constraints, leavesOpen: await openEnds(subject) };
}

/** Adds the name of the experiment to an unexpected error. */
async function named<T>(where: string, experiment: () => Promise<T>): Promise<T> {
  try {
    return await experiment();
  } catch (cause) {
    throw new Error(`${where}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

async function run({ ask, honest, broken, obligation, any }: Experiment, subject: Subject) {
  let obliged = false;
  const outcome = await binds(async () => {
    const link = await sign(subject, ask(subject), AT);
    const request = honest === undefined ? wire(link) : honest(wire(link));
    const grant = await accepted(subject, request, AT);
    obliged = grant.obligations.some(({ kind }) => kind === obligation);
    return (await isRefused(subject, broken(request), AT)) || obliged;
  });
  if (outcome === "binds" && obliged) return "obligation";
  if (outcome === "refuses" || any === undefined) return outcome;
  const whole = await binds(async () => Boolean(await sign(subject, any, AT)));
  return whole === "refuses" ? "some" : outcome;
}

/** Throws if the signer accepts a constraint that the verifier does not check: no scheme may do that. */
async function binds(experiment: () => Promise<boolean>): Promise<"binds" | "refuses"> {
  try {
    if (await experiment()) return "binds";
  } catch (error) {
    if (isDaypassError(error) && error.code === "UNSUPPORTED_CONSTRAINT") return "refuses";
    throw error;
  }
  throw new Error("the signer took a constraint that the verifier does not hold");
}

async function openEnds(subject: Subject): Promise<readonly string[]> {
  const link = await sign(subject, { expiresIn: LIFE }, AT);
  const request = wire(link);
  const changes: Readonly<Record<string, WireRequest>> = {
    "method (PUT)": { ...request, method: "PUT" },
    "method (HEAD)": { ...request, method: "HEAD" },
    origin: { ...request, authority: (subject.example.otherOrigin ?? EXAMPLE_ORIGINS[1]).replace(/^https?:\/\//, "") },
    "other query parameters": { ...request, target: `${request.target}&zz=1` },
    "other headers": header(request, "x-other", "1"),
    "content-type": header({ ...request, method: link.method }, "content-type", "text/html"),
  };
  const open: string[] = [];
  for (const [what, changed] of Object.entries(changes)) {
    if (!(await isRefused(subject, changed, AT))) open.push(what);
  }
  if (!(await isRefused(subject, request, AT, "http:"))) open.unshift("scheme");
  return open;
}

async function accepted(subject: Subject, request: WireRequest, at: Date): Promise<Grant> {
  return verify(subject, request, at);
}

async function isRefused(subject: Subject, request: WireRequest, at: Date, scheme?: "http:"): Promise<boolean> {
  try {
    await verify(subject, request, at, scheme);
    return false;
  } catch (error) {
    if (isDaypassError(error)) return true;
    throw error;
  }
}

function header(request: WireRequest, name: string, value: string): WireRequest {
  const others = request.headers.filter(([other]) => other.toLowerCase() !== name);
  return { ...request, headers: [...others, [name, value]] };
}
