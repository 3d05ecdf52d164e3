import { type Constraints, type Grant, isDaypassError, type SignedRequest, type WireRequest } from "../../src/index.ts";

/** One scheme as the probe sees it: a signer and a verifier of the same resource. */
export interface Subject {
  /** Also the name of its page in docs/schemes. */
  readonly scheme: string;
  /** Signs one resource at an instant; `method` is `GET` unless the probe says otherwise. */
  sign(constraints: ProbeConstraints, at: Date): SignedRequest | Promise<SignedRequest>;
  /** A verifier that enforces every obligation, at an instant. It answers for two origins, by `https:` unless told otherwise. */
  verify(request: WireRequest, at: Date, scheme?: "http:"): Promise<Grant>;
  /** Another configured origin, `scheme://host`. */
  readonly otherOrigin: string;
  /** A header that the scheme may bind; where it binds a few only, one of those. */
  readonly header?: string;
  /** A query parameter that the scheme may bind. */
  readonly query?: string;
  /** How a prefix is written, and how a URL for it becomes one for another resource below it. */
  readonly prefix?: { readonly value: string; elsewhere(url: string): string };
}

export type ProbeConstraints = Constraints & { readonly method?: string };

/** What experiments have shown. */
export interface Capabilities {
  readonly scheme: string;
  /** By constraint: bound, bound for some names only, refused by the signer, or passed on to whoever acts on the grant. */
  readonly constraints: Readonly<Record<string, "binds" | "some" | "obligation" | "refuses">>;
  /** What a holder could change in a plain URL, and it was still accepted. */
  readonly leavesOpen: readonly string[];
}

const AT = new Date("2026-01-02T03:04:05Z");
const LIFE = 900;
const later = (seconds: number): Date => new Date(AT.getTime() + seconds * 1000);
const SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const PEER = "203.0.113.9";

interface Experiment {
  readonly constraint: string;
  ask(subject: Subject): ProbeConstraints;
  /** What the holder sends where it is not what the signer asked for by itself. */
  honest?(request: WireRequest): WireRequest;
  /** The request that must not get through. */
  broken(request: WireRequest): WireRequest;
  readonly obligation?: Grant["obligations"][number]["kind"];
  /** The same for a name that no scheme knows: whether one that binds some binds any. */
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
    ask: ({ header = "x-trace" }) => ({ expiresIn: LIFE, bind: { headers: { [header]: "a" } } }),
    broken: (request) => ({ ...request, headers: request.headers.map(([name]) => [name, "b"]) }),
    any: { expiresIn: LIFE, bind: { headers: { "x-other": "a" } } },
  },
  {
    constraint: "bind.query",
    ask: ({ query = "variant" }) => ({ expiresIn: LIFE, bind: { query: { [query]: "a1" } } }),
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

/** Tries what a scheme binds. Nothing is believed that was not seen to be refused. */
export async function probe(subject: Subject): Promise<Capabilities> {
  const held = (what: string, experiment: () => Promise<boolean>) =>
    named(`${subject.scheme}, ${what}`, () => binds(experiment));
  const constraints: Record<string, "binds" | "some" | "obligation" | "refuses"> = {
    "expiresIn, expiresAt": await held("expiresIn, expiresAt", async () => {
      const link = await subject.sign({ expiresIn: LIFE }, AT);
      const same = await subject.sign({ expiresAt: later(LIFE) }, AT);
      await accepted(subject, wire(link), later(LIFE - 1));
      await accepted(subject, wire(same), later(LIFE - 1));
      return (await isRefused(subject, wire(link), later(LIFE))) && isRefused(subject, wire(same), later(LIFE));
    }),
    notBefore: await held("notBefore", async () => {
      const link = await subject.sign({ expiresIn: 4 * LIFE, notBefore: later(600) }, AT);
      await accepted(subject, wire(link), later(600));
      return isRefused(subject, wire(link), later(599));
    }),
    stableWindow: await held("stableWindow", async () => {
      const at = (seconds: number) => subject.sign({ expiresIn: LIFE, stableWindow: 60 }, later(seconds));
      // 03:04:05: the window ends 55 s later.
      const [first, second, third] = [await at(0), await at(54), await at(55)];
      return first.url === second.url && first.url !== third.url;
    }),
    prefix: await held("prefix", async () => {
      const { value, elsewhere } = subject.prefix ?? { value: "talks/", elsewhere: (url) => url };
      const link = await subject.sign({ expiresIn: LIFE, prefix: value }, AT);
      await accepted(subject, wire({ ...link, url: elsewhere(link.url) }), AT);
      return isRefused(subject, wire({ ...link, url: link.url.replace("talks", "other") }), AT);
    }),
  };
  for (const experiment of experiments) {
    const { constraint } = experiment;
    constraints[constraint] = await named(`${subject.scheme}, ${constraint}`, () => run(experiment, subject));
  }
  return { scheme: subject.scheme, constraints, leavesOpen: await openEnds(subject) };
}

/** Says where an experiment came to an end that nobody foresaw. */
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
    const link = await subject.sign(ask(subject), AT);
    const request = honest === undefined ? wire(link) : honest(wire(link));
    const grant = await accepted(subject, request, AT);
    obliged = grant.obligations.some(({ kind }) => kind === obligation);
    return (await isRefused(subject, broken(request), AT)) || obliged;
  });
  if (outcome === "binds" && obliged) return "obligation";
  if (outcome === "refuses" || any === undefined) return outcome;
  const whole = await binds(async () => Boolean(await subject.sign(any, AT)));
  return whole === "refuses" ? "some" : outcome;
}

/** What a signer lets pass and does not bind would be the one thing that no scheme may do: it throws. */
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
  const link = await subject.sign({ expiresIn: LIFE }, AT);
  const request = wire(link);
  const changes: Readonly<Record<string, WireRequest>> = {
    "method (PUT)": { ...request, method: "PUT" },
    "method (HEAD)": { ...request, method: "HEAD" },
    origin: { ...request, authority: subject.otherOrigin.replace(/^https?:\/\//, "") },
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
  return subject.verify(request, at);
}

async function isRefused(subject: Subject, request: WireRequest, at: Date, scheme?: "http:"): Promise<boolean> {
  try {
    await subject.verify(request, at, scheme);
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

function wire({ url, method, headers }: Pick<SignedRequest, "url" | "method" | "headers">): WireRequest {
  const [, authority = "", target = ""] = /^https?:\/\/([^/]+)(\/.*)$/.exec(url) ?? [];
  return { method, target, authority, headers: Object.entries(headers), remoteAddress: PEER };
}
