import { isObject, type JsonObject } from "daypass/schemes";
import { UsageError } from "../../../command.ts";
import { given } from "../options.ts";

interface FormLineOptions {
  /** The line field of the object's name. */
  readonly name: "key" | "object";
  readonly fields: Readonly<Record<string, string>> | undefined;
}

// A form cannot set these.
const URL_FIELDS = ["method", "query", "headers", "response"];

/** Converts the line of a URL to the line of an upload form. A name that ends with a slash becomes a prefix. */
export function formLine(line: JsonObject, { name, fields }: FormLineOptions): JsonObject {
  const foreign = URL_FIELDS.find((field) => line[field] !== undefined);
  if (foreign !== undefined)
    throw new UsageError(`a form has no ${foreign}. Leave it out; fields of the form are --field N=V`);
  const { bucket, [name]: object, bind, dotSegments, ...rest } = line;
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
