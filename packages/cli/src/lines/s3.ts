import type { LineScheme } from "./line-scheme.ts";

/** Lines of the scheme `s3`. Who signs needs none of the verifiers, and who verifies none of the signers. */
export const s3LineScheme: LineScheme = {
  signer: async () => (await import("./s3-signer.ts")).s3LineSigner(),
  verifiers: async (entry, context) => (await import("./s3-entry.ts")).s3LineVerifiers(entry, context),
  explainKeys: async (entry) => (await import("./s3-entry.ts")).s3EntryKeys(entry),
};
