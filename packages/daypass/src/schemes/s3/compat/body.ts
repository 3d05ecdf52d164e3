import { invalidInput } from "../../../core/errors.ts";
import { utf8 } from "../../../wire/encoding.ts";
import type { BoundInput } from "./input.ts";
import type { Operation } from "./operation.ts";
import type { SdkConfig } from "./sdk.ts";

/**
 * The length of the body becomes a signed header where it is known, as in the SDK: of text and bytes at once, of what is sent
 * as XML by the SDK's own writer, which is the one thing that is run of it.
 */
export async function bindBodyLength(
  bound: BoundInput,
  { schema }: Operation,
  input: object,
  config: SdkConfig,
): Promise<BoundInput> {
  const { body, headers, isStructured } = bound;
  if (headers.has("content-length")) return bound;
  const length = bodyLength(isStructured ? await xmlBody(schema, input, config) : body);
  if (length === undefined) return bound;
  return { ...bound, headers: new Map([...headers, ["content-length", String(length)]]) };
}

async function xmlBody(
  [, namespace, name, traits, inputSchema, output]: Operation["schema"],
  input: object,
  config: SdkConfig,
): Promise<unknown> {
  const { protocol } = config;
  if (protocol === undefined)
    throw invalidInput("client", "one whose protocol can write the body of this command", "another");
  const endpoint = async () => ({ protocol: "https:", hostname: "localhost", path: "/" });
  const operation = { namespace, name, traits, input: inputSchema, output };
  const { body } = await protocol.serializeRequest(operation, input, { ...config, endpoint });
  return body;
}

function bodyLength(body: unknown): number | undefined {
  if (typeof body === "string") return body === "" ? undefined : utf8(body).length;
  for (const name of ["byteLength", "size"]) {
    const length: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
    if (typeof length === "number") return length;
  }
  return undefined;
}
