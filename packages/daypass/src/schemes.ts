/**
 * The registry of schemes. The command line, redaction, the table of capabilities and every suite over schemes read it. The modules
 * of a scheme are loaded when they are needed.
 *
 * @module
 */
import type { SchemeRow } from "./core/scheme.ts";

export {
  both,
  checked,
  describe,
  type FieldKind,
  type Fields,
  fields,
  flag,
  instant,
  isObject,
  type JsonObject,
  type Kinds,
  missing,
  number,
  object,
  oneOf,
  text,
} from "./core/fields.ts";
export { dated } from "./core/line-fields.ts";
export type {
  DialectVerifier,
  EntryContext,
  ExampleKeys,
  ExampleOptions,
  ExampleProbe,
  ExampleSigned,
  ExampleSigner,
  ExampleVerifier,
  KeyTools,
  LineCookies,
  LineForm,
  LineResult,
  LineSigner,
  SchemeExample,
  SchemeFields,
  SchemeRow,
  SignFields,
} from "./core/scheme.ts";

/** The identifier of a scheme: the `scheme` of its grants, and its subpath. */
export type SchemeId = "s3" | "imgix";

/** Every scheme of the library. A new one adds its row, and its identifier to {@link SchemeId}. */
export const schemes: Readonly<Record<SchemeId, SchemeRow>> = {
  s3: {
    id: "s3",
    secretParameters: ["x-amz-signature", "x-amz-security-token"],
    load: () => import("./schemes/s3/index.ts"),
    fields: () => import("./schemes/s3/fields.ts"),
    example: () => import("./schemes/s3/example.ts"),
  },
  imgix: {
    id: "imgix",
    secretParameters: ["s"],
    load: () => import("./schemes/imgix/index.ts"),
    fields: () => import("./schemes/imgix/fields.ts"),
    example: () => import("./schemes/imgix/example.ts"),
  },
};
