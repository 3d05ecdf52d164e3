import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL("..", import.meta.url));

/** One file of an example as a bundler ships it, with what the imports map of the library gives this runtime. */
export async function bundle(file: string, runtime: "browser" | "workerd"): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: [file],
    bundle: true,
    platform: "browser",
    conditions: runtime === "workerd" ? ["workerd"] : [],
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}
