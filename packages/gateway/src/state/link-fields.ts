/**
 * The fields of a link, each a row of {@link linkFields}: the admin API and the options of the command line derive from them.
 * @module
 */
export {
  type AskedName,
  type EditableName,
  type FieldName,
  type Fields,
  type FieldValues,
  fieldList,
  type KindOf,
  type LinkField,
  linkFields,
  type NamedField,
  type OptionalName,
  type OptionOf,
  type StoredFields,
} from "./contract/fields.ts";
