import type { WireRequest } from "daypass";
import { EXAMPLE_TIME } from "../../../daypass/src/core/example.ts";
import { S3_KEYS, S3_SESSION_KEYS } from "../../../daypass/src/schemes/s3/example.ts";
import { subjects } from "../../../daypass/test/registry.ts";
import type { Judge } from "../../../daypass/test/tamper/judges/judge.ts";
import { tamperOptions, tamperSuites } from "../../../daypass/test/tamper/suites.ts";
import type { GatewayOptions } from "../../src/options.ts";

const signed = subjects.filter(({ row }) => ["s3", "s3/v2", "url"].includes(row.id));
const urlKeys = signed.filter(({ row }) => row.id === "url").map(({ example }) => example.keys.right);
const origins = signed.flatMap(({ example }) => example.origins ?? []);

/** Everything but the storage: the origins, keys and clock of the examples. */
export const gatewayOptions: Omit<GatewayOptions, "storage"> = {
  origins: ["https://media.example.com", ...new Set(origins)],
  keys: {
    s3: (id) => [S3_KEYS.right, S3_SESSION_KEYS.right].find(({ accessKeyId }) => accessKeyId === id),
    url: urlKeys as never,
  },
  region: "eu-west-1",
  audience: "invoice",
  clock: () => EXAMPLE_TIME,
};

export interface Base {
  readonly request: WireRequest;
  readonly judge: Judge;
}

export const BODY = "abc";

const options = await Promise.all(tamperSuites(signed).map(tamperOptions));

/** Valid requests of all schemes. An upload is three bytes long, unless the signature says otherwise. */
export const bases: readonly Base[] = options.flatMap(({ bases, judge }) =>
  bases.map((request) => ({ request: withLength(request), judge })),
);

function withLength(request: WireRequest): WireRequest {
  const isSet = request.headers.some(([name]) => name === "content-length");
  if (isSet || request.method !== "PUT") return request;
  return { ...request, headers: [...request.headers, ["content-length", String(BODY.length)]] };
}
