import { isObject, type JsonObject } from "daypass/schemes";
import { UsageError } from "../../command.ts";
import { given } from "./options.ts";

interface FormLineOptions {
  /** What the scheme calls the name of an object. */
  readonly name: "key" | "object";
  readonly fields: Readonly<Record<string, string>> | undefined;
}

// What a request has and no form can.
const NO_FORM = ["method", "query", "headers", "response"];

/** A line for an upload form from one for a URL: a name that ends with a slash stands for every name below it. */
export function formLine(line: JsonObject, { name, fields }: FormLineOptions): JsonObject {
  const foreign = NO_FORM.find((field) => line[field] !== undefined);
  if (foreign !== undefined)
    throw new UsageError(`expected options of a form, found ${foreign}: a form has --field N=V`);
  const {
    bucket,
    [name]: object,
    bind,
    dotSegments,
    method: _,
    query: __,
    headers: ___,
    response: ____,
    ...rest
  } = line;
  const { contentLength, ...others } = isObject(bind) ? bind : {};
  const isFolder = typeof object === "string" && object.endsWith("/");
  const form = given({
    bucket,
    ...(isFolder ? { prefix: object } : { [name]: object }),
    contentLength,
    bind: Object.keys(others).length === 0 ? undefined : others,
    dotSegments,
    fields,
  });
  return { ...rest, form };
}
