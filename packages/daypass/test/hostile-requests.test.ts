import { describe, expect, it } from "vitest";
import { isDaypassError } from "../src/index.ts";
import { schemes } from "../src/schemes.ts";
import { AT, LIFE, type Subject, subjects } from "./registry.ts";

const clock = (): Date => AT;

/** `made`, the code of the refusal, or the text of any other error. */
async function outcome(make: () => unknown): Promise<string> {
  try {
    await make();
    return "made";
  } catch (error) {
    return isDaypassError(error) ? `${error.code}: ${error.message}` : `raw ${String(error)}`;
  }
}

/** Every field of the requests that an example makes, with whether the example needs it. */
function fieldsOf({ example }: Subject): ReadonlyMap<string, boolean> {
  const all = [example.request, example.obliged ?? {}, ...(example.variants ?? [])];
  const names = [...all.flatMap(Object.keys), "expiresIn", "expiresAt", "stableWindow", "method", "bind", "response"];
  return new Map(names.map((name) => [name, name in example.request]));
}

const WRONG: readonly unknown[] = [
  null,
  7,
  Number.NaN,
  true,
  "",
  [],
  {},
  [null],
  () => 1,

  new Date(Number.NaN),
];

// The examples of headers sign requests that no signer of the library makes.
const asked = subjects.filter(({ example, row }) => example.probe?.sameAs === undefined && !/header$/.test(row.id));

describe.each(asked)("the signer of $name", (subject) => {
  const { example } = subject;
  const sign = (more: object): Promise<string> =>
    outcome(() => example.signer(clock).sign({ expiresIn: LIFE, ...example.request, ...more } as never));

  it("answers each field that is undefined, null or of a wrong type with a URL or an error code", async () => {
    const raw: string[] = [];
    for (const name of fieldsOf(subject).keys()) {
      for (const value of [undefined, ...WRONG]) {
        const found = await sign({ [name]: value });
        if (found.startsWith("raw")) raw.push(`${name} ${typeof value} ${String(value)}: ${found}`);
      }
    }
    expect(raw).toEqual([]);
  });

  it("refuses a field that it needs if it is undefined, null or of a wrong type", async () => {
    const made: string[] = [];
    for (const name of Object.keys(example.request)) {
      if (name === "bind") continue;
      for (const value of OPTIONAL.has(name) ? WRONG : [undefined, ...WRONG]) {
        if ((await sign({ [name]: value })) === "made") made.push(`${name} ${typeof value} ${String(value)}`);
      }
    }
    expect(made).toEqual([]);
  });

  it("says what is missing if it is called without a request", async () => {
    const found = await outcome(() => (example.signer(clock) as { sign(): unknown }).sign());
    expect(found).toMatch(/^(?:INVALID_INPUT|INVALID_EXPIRY|UNSUPPORTED_CONSTRAINT): /);
  });
});

// Without these, the request asks for something else. The blob of an account SAS only completes the URL.
const OPTIONAL = new Set(["prefix", "acl", "pathGlobs", "audience", "permissions", "blob"]);

describe("a signer of a store", () => {
  const stores = asked.filter(
    ({ example: { name, request } }) =>
      ["key", "object", "blob"].some((field) => field in request) && !/^(?:swift|azure, account)/.test(name),
  );

  it.each(stores.filter(({ isForm }) => !isForm))(
    "$name: signs for a whole bucket only if asked to",
    async ({ example }) => {
      const { key, object, blob, ...rest } = example.request as Record<string, unknown>;
      const sign = (more: object) =>
        outcome(() => example.signer(clock).sign({ expiresIn: LIFE, ...rest, ...more } as never));
      const [name, whole] =
        blob !== undefined ? ["blob", "container"] : [key === undefined ? "object" : "key", "bucket"];
      for (const missing of [{}, { [name]: undefined }, { resource: undefined }])
        expect(await sign(missing)).toBe(
          `INVALID_INPUT: ${name} is missing. Pass a name, or resource: "${whole}" for the ${whole}`,
        );
      expect(await sign({ resource: whole })).toBe("made");
      expect(await sign({ resource: "buckets" })).toMatch(/^INVALID_INPUT/);
      expect(await sign({ resource: whole, [name]: "a.txt" })).toMatch(/^INVALID_INPUT/);
    },
  );
});

const modules = await Promise.all(Object.values(schemes).map(async (row) => [row.id, await row.load()] as const));
const factories = modules.flatMap(([id, module]) =>
  Object.entries(module).flatMap(([name, make]) =>
    /(?:Signer|Verifier)$/.test(name) ? [[id, name, make] as const] : [],
  ),
);

describe("a factory without options", () => {
  it.each(factories)("%s: %s says what is missing", async (_id, _name, make) => {
    expect(await outcome(() => (make as () => unknown)())).toMatch(
      /^INVALID_(?:INPUT|KEY): .*(?:missing|undefined|Pass)/,
    );
  });
});
