import { parseAst } from "vitest/node";

/**
 * All that a TypeScript file imports or re-exports, by type or by value, with the names that it takes: `*` for all of them.
 * Read by a parser, as text in quotes or comments may look like an import, and an import like neither.
 * @param {string} code
 * @returns {readonly { specifier: string, names: readonly string[] }[]}
 */
export function importsOf(code) {
  /** @type {{ specifier: string, names: readonly string[] }[]} */
  const found = [];
  visit(parseAst(code, { lang: "ts" }), (node) => {
    if (!SOURCES.includes(node.type)) return;
    const source = node["source"] ?? node["expression"];
    if (source === undefined || source === null) return;
    const specifier = textOf(source);
    if (specifier === undefined) {
      throw new Error("expected the imported module as a text without expressions: name it, so that it can be checked");
    }
    found.push({ specifier, names: namesOf(node) });
  });
  return found;
}

const SOURCES = [
  "ImportDeclaration",
  "ExportAllDeclaration",
  "ExportNamedDeclaration",
  "ImportExpression",
  "TSImportType",
  "TSExternalModuleReference",
];

/**
 * @typedef {{ type: string, [member: string]: any }} Node
 * @param {any} value @param {(node: Node) => void} look
 */
function visit(value, look) {
  if (typeof value !== "object" || value === null) return;
  if (typeof value.type === "string") look(value);
  for (const member of Object.values(value)) visit(member, look);
}

/** @param {Node} source */
function textOf(source) {
  if (source.type === "TemplateLiteral" && source["expressions"].length === 0) return source["quasis"][0].value.cooked;
  return source.type === "Literal" && typeof source["value"] === "string" ? source["value"] : undefined;
}

/** @param {Node} node @returns {readonly string[]} */
function namesOf({ type, specifiers = [] }) {
  if (!["ImportDeclaration", "ExportNamedDeclaration"].includes(type)) return ["*"];
  return specifiers.map((/** @type {Node} */ specifier) => {
    if (specifier.type === "ImportNamespaceSpecifier") return "*";
    if (specifier.type === "ImportDefaultSpecifier") return "default";
    const name = specifier["imported"] ?? specifier["local"];
    return name.name ?? name.value;
  });
}
