import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The library's portable build, without node:crypto. */
export type Portable = typeof import("daypass/s3") & typeof import("daypass/url");

const out = fileURLToPath(new URL("../portable.js", import.meta.url));

/** Bundles the library with the conditions of a browser, so that `#crypto` is the portable one, and loads that. */
export async function loadPortable(): Promise<Portable> {
  const { metafile } = await build({
    stdin: {
      contents: `export * from "daypass/s3"; export * from "daypass/url";`,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
    },
    platform: "browser",
    format: "esm",
    bundle: true,
    metafile: true,
    outfile: out,
  });
  const inputs = Object.keys(metafile.inputs);
  if (
    !inputs.some((path) => path.endsWith("/crypto/portable.js")) ||
    inputs.some((path) => path.endsWith("/crypto/node.js"))
  )
    throw new Error("expected the portable crypto in the bundle, found another");
  return (await import(out)) as Portable;
}
