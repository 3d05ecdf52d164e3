import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const folder = fileURLToPath(new URL("..", import.meta.url));

/** One file of an example as a bundler ships it, with what the imports map of the library gives this runtime. */
export async function bundle(file: string, runtime: "browser" | "workerd"): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: [file],
    bundle: true,
    plugins: [shipped],
    platform: "browser",
    conditions: runtime === "workerd" ? ["workerd"] : [],
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/** The library's own suites import its sources. Here they get what the tarball ships under the same name. */
const shipped: Plugin = {
  name: "shipped",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^\.\.\/\.\.\/src\/(.*\/)?index\.ts$/ }, ({ path, kind }) => {
      const subpath = path.replace(/^\.\.\/\.\.\/src\/(?:schemes\/|adapters\/)?/, "").replace("index.ts", "");
      return resolve(`daypass/${subpath}`.replace(/\/$/, ""), { kind, resolveDir: folder });
    });
  },
};
