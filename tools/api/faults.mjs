import { ReflectionKind } from "typedoc";

/**
 * @typedef {import("typedoc").DeclarationReflection} Declaration
 * @typedef {import("typedoc").SignatureReflection} Signature
 * @typedef {import("typedoc").Comment} Comment
 */

/**
 * What the docstrings of a project leave out. Each fault names where, and what to do.
 * @param {import("typedoc").ProjectReflection} project
 * @param {ReadonlySet<string>} codes those that there are
 * @returns {readonly string[]}
 */
export function faultsOf(project, codes) {
  return (project.children ?? []).flatMap((module) => [
    ...(module.comment
      ? []
      : [`${module.name} does not say what it is: begin its source with a docstring and @module`]),
    // Another page's export is described there.
    ...(module.children ?? []).filter(({ kind }) => kind !== ReflectionKind.Reference).flatMap(faultsOfExport),
    ...(module.children ?? []).flatMap((exported) => unknownCodes(exported, codes)),
  ]);
}

/** @param {Declaration} exported @param {ReadonlySet<string>} codes */
function unknownCodes(exported, codes) {
  return (exported.signatures ?? []).flatMap(({ comment }) => {
    const text = (comment?.blockTags ?? []).filter(({ tag }) => tag === "@throws").flatMap(({ content }) => content);
    const named = text.flatMap(({ text }) =>
      [...text.matchAll(/^`([A-Z\d]+(?:_[A-Z\d]+)*)`$/g)].map(([, code = ""]) => code),
    );
    return named
      .filter((code) => !codes.has(code))
      .map((code) => `${exported.getFullName()} throws ${code}, which is not in docs/errors.md`);
  });
}

/** @param {Declaration} exported */
function faultsOfExport(exported) {
  const name = exported.getFullName();
  if (exported.kind === ReflectionKind.Function) {
    const signatures = exported.signatures ?? [];
    const hasExample = signatures.some(({ comment }) => comment?.getTag("@example"));
    return [
      ...signatures.flatMap((signature) => faultsOfCall(signature, name)),
      ...(hasExample ? [] : [`${name} has no @example`]),
    ];
  }
  const members = (exported.children ?? []).filter(({ inheritedFrom }) => inheritedFrom === undefined);
  return [
    ...(says(exported) ? [] : [undocumented(name)]),
    ...members.flatMap((member) => faultsOfMember(member, `${name}.${member.name}`)),
  ];
}

/** What no name says of a value, by the form of its type. @type {readonly (readonly [form: RegExp, what: string])[]} */
const UNSAID = [
  [/^number\b/, "a number: say in a docstring of what, and its unit"],
  [/^boolean\b/, "a flag: say in a docstring what it changes, and its default"],
  [/^(?:string \| )?Date\b/, "an instant: say in a docstring of what, and whether it is the first or the last"],
  [/^Readonly<Record</, "a record: say in a docstring what its names are, and in which case"],
  [/^(?:readonly .*\[\]|Uint8Array)/, "a list: say in a docstring of what, and what an empty one means"],
];

/** @param {Declaration} member @param {string} name */
function faultsOfMember(member, name) {
  if (member.kind === ReflectionKind.Method || member.kind === ReflectionKind.Constructor)
    return (member.signatures ?? []).flatMap((signature) => (says(signature) ? [] : [undocumented(name)]));
  if (says(member)) return [];
  // A text often says by its name all that there is to say.
  const type = member.type?.toString() ?? "";
  return UNSAID.filter(([form]) => form.test(type)).map(([, what]) => `${name} is ${what}`);
}

/** @param {Signature} signature @param {string} name */
function faultsOfCall(signature, name) {
  const { comment, parameters = [] } = signature;
  if (comment === undefined || !says(signature)) return [undocumented(name)];
  return parameters
    .filter((parameter) => !says(parameter) && !isSaid(parameter, comment))
    .map((parameter) => `${name} does not say what ${parameter.name} is: add a @param, or name it in backticks`);
}

/**
 * Whether a reader learns what a parameter is without a separate line: the docstring speaks of it, or its type is one of
 * ours, whose own docstring says it.
 * @param {import("typedoc").ParameterReflection} parameter
 * @param {Comment} comment
 */
function isSaid({ name, type }, comment) {
  if (textOf(comment).includes(`\`${name}`)) return true;
  const named = type?.type === "array" ? type.elementType : type;
  const isUnion = named?.type === "union";
  return (isUnion ? named.types : [named]).every(
    (part) => part?.type === "reference" && (part.reflection !== undefined || part.refersToTypeParameter),
  );
}

/** Whether there is a docstring with a sentence in it. @param {{ readonly comment?: Comment }} described */
function says({ comment }) {
  return comment?.summary.some(({ text }) => text.trim() !== "") ?? false;
}

/** @param {Comment} comment */
function textOf({ summary, blockTags }) {
  const parts = [...summary, ...blockTags.filter(({ tag }) => tag !== "@example").flatMap(({ content }) => content)];
  return parts.map(({ text }) => text).join("");
}

/** @param {string} name */
function undocumented(name) {
  return `${name} has no docstring: say what it does or holds, its units, and what it does not check`;
}
