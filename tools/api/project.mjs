import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { Application, Logger, LogLevel } from "typedoc";
import { root } from "../run.mjs";

/**
 * One page: what users import, and the source it leads to.
 * @typedef {{ readonly specifier: string, readonly source: string }} EntryPoint
 */

/**
 * The subpaths that a package exports, in the order of its manifest.
 * @param {string} folder of the package, from the root of the workspace
 * @returns {readonly EntryPoint[]}
 */
export function entryPointsOf(folder) {
  const { name, exports } = JSON.parse(readFileSync(`${root}${folder}/package.json`, "utf8"));
  return Object.entries(exports)
    .filter(([, target]) => typeof target === "object")
    .map(([subpath, target]) => ({
      specifier: `${name}${subpath.slice(1)}`,
      source: `${root}${folder}/${target["@daypass/source"].slice(2)}`,
    }));
}

class Remarks extends Logger {
  /** A remark that is made twice is one remark. @type {Set<string>} */
  all = new Set();

  /** @override @param {string} message @param {LogLevel} level */
  log(message, level) {
    if (level >= LogLevel.Warn) this.all.add(message);
  }
}

/** Options of the plugin, which TypeDoc's types do not know. */
const pageOptions = /** @type {object} */ ({
  router: "module",
  entryFileName: "README",
  excludeScopesInPaths: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  indexFormat: "table",
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  classPropertiesFormat: "table",
  typeAliasPropertiesFormat: "table",
  propertyMembersFormat: "table",
  typeDeclarationFormat: "table",
  tableColumnSettings: {
    hideDefaults: true,
    hideInherited: true,
    hideModifiers: true,
    hideOverrides: true,
    hideSources: true,
  },
});

/**
 * Reads the docstrings of entry points, and says what TypeDoc remarks about them.
 * @param {readonly EntryPoint[]} entryPoints
 * @param {string} tsconfig
 * @param {Readonly<Record<string, readonly string[]>>} unnamed by package, types that a page may name without showing them
 */
export async function readProject(entryPoints, tsconfig, unnamed) {
  const app = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    entryPoints: entryPoints.map(({ source }) => source),
    tsconfig,
    displayBasePath: root,
    name: "Daypass",
    readme: "none",
    logLevel: "Warn",
    // `tsc` has checked them already, and TypeDoc's compiler is an older one.
    skipErrorChecking: true,
    disableGit: true,
    disableSources: true,
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    alwaysCreateEntryPointModule: true,
    sortEntryPoints: false,
    sort: ["kind", "source-order"],
    kindSortOrder: ["Function", "Class", "Variable", "Interface", "TypeAlias"],
    groupOrder: ["Functions", "Classes", "Variables", "Interfaces", "Type Aliases", "*"],
    ...pageOptions,
  });
  const remarks = new Remarks();
  app.logger = remarks;
  const project = await app.convert();
  if (project === undefined) throw new Error(`TypeDoc cannot read the sources: ${[...remarks.all].join("\n")}`);
  nameModules(project, entryPoints);
  // It looks at one package at a time for types that are not exported, and thinks that the first one is all.
  for (const [name, names] of Object.entries(unnamed)) {
    project.packageName = name;
    app.options.setValue("intentionallyNotExported", [...names]);
    app.validate(project);
  }
  return { app, project, remarks: [...remarks.all] };
}

/**
 * Names the modules by their import paths. TypeDoc names them by their files.
 * @param {import("typedoc").ProjectReflection} project
 * @param {readonly EntryPoint[]} entryPoints
 */
function nameModules(project, entryPoints) {
  const specifiers = new Map(
    entryPoints.map(({ specifier, source }) => [relative(root, source).replace(/(?:\/index)?\.ts$/, ""), specifier]),
  );
  for (const module of project.children ?? []) {
    const specifier = specifiers.get(module.name);
    if (specifier === undefined) throw new Error(`${module.name} is none of the entry points`);
    module.name = specifier;
  }
}
