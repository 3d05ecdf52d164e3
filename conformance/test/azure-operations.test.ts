import { createRequire } from "node:module";
import { azureAllOperations, azureCopyOperations } from "daypass/azure";
import { describe, expect, test } from "vitest";

// What Azure's own client can send in each of its operations, by its own description of them, against the closed lists of our
// verifiers: a name that is missing there, or is spelt in another way, refuses a client that does nothing wrong.

interface Described {
  readonly mapper: { readonly serializedName: string; readonly defaultValue?: string };
}
interface Operation {
  readonly httpMethod: string;
  readonly path: string;
  readonly queryParameters?: readonly Described[];
  readonly headerParameters?: readonly Described[];
}
type Group = new (client: { sendOperationRequest(args: unknown, operation: Operation): Operation }) => object;

const resolve = createRequire(import.meta.url);
const groups = resolve(
  resolve.resolve("@azure/storage-blob").replace(/index\.js$/, "generated/src/operations/index.js"),
) as Readonly<Record<string, Group>>;

/** Every operation, by the client's name for it: with a client that sends nothing each method gives its description. */
const operations = Object.values(groups).flatMap((Group) => {
  const group = new Group({ sendOperationRequest: (_, operation) => operation });
  const names = Object.getOwnPropertyNames(Group.prototype).filter((name) => name !== "constructor");
  return names.map((name) => {
    const describe = Reflect.get(group, name) as () => Operation;
    return [`${Group.name.replace("Impl", "")}.${name}`, describe.call(group)] as const;
  });
});

const LEVELS: Readonly<Record<string, string>> = { "/": "s", "/{containerName}": "c", "/{containerName}/{blob}": "o" };
const EVERYWHERE = ["comp", "restype", "timeout", "x-ms-version", "x-ms-client-request-id"];

/** What the operation may send and no row for its call lists; `"no row"` if no row exists. */
function missing({ httpMethod, path, queryParameters = [], headerParameters = [] }: Operation): readonly string[] {
  const comp = queryParameters.find(({ mapper }) => mapper.serializedName === "comp")?.mapper.defaultValue;
  const call = [httpMethod.replace("HEAD", "GET"), LEVELS[path], comp].filter(Boolean).join(" ");
  const rows = [...azureAllOperations, ...azureCopyOperations].filter(([, request]) => request.split(" +")[0] === call);
  if (rows.length === 0) return ["no row"];
  const known = rows.flatMap(([, , , headers, query]) => [
    ...headers.split(" ").map((name) => `x-ms-${name.replace(/:.*/, "").replace("meta-*", "meta")}`),
    ...query.split(" ").map((name) => name.replace(/:.*/, "")),
  ]);
  const sent = [...queryParameters, ...headerParameters].map(({ mapper }) => mapper.serializedName);
  const own = sent.filter((name) => queryParameters.length > 0 && !/^[A-Z]/.test(name) && !EVERYWHERE.includes(name));
  return own.filter((name) => !known.includes(name));
}

describe("the operations of @azure/storage-blob 12.34.0", () => {
  test("have rows with all that they can send, but for what is left out on purpose", () => {
    expect(operations.length).toBeGreaterThan(60);
    const left = operations.map(([name, operation]) => [name, missing(operation)] as const);
    expect(Object.fromEntries(left.filter(([, names]) => names.length > 0))).toEqual({
      // No SAS permits these, or they hold other requests.
      "Service.getUserDelegationKey": ["no row"],
      "Container.getAccessPolicy": ["no row"],
      "Container.setAccessPolicy": ["no row"],
      "Service.submitBatch": ["no row"],
      "Container.submitBatch": ["no row"],
      // Facts of the account.
      "Container.getAccountInfo": ["no row"],
      "Blob.getAccountInfo": ["no row"],
      // A container under another name.
      "Container.rename": ["no row"],
      // It would make the container public.
      "Container.create": ["x-ms-blob-public-access"],
      // It names another blob in an operation that reads.
      "PageBlob.getPageRangesDiff": ["x-ms-previous-snapshot-url"],
    });
  });
});
