/**
 * The list of storage drivers. Each is loaded only when it is opened, so a gateway for an S3 bucket needs no SQLite.
 * @module
 */

import type { Storage } from "./contract/storage.ts";
import type { DiskOptions } from "./disk/index.ts";
import type { S3Options } from "./s3/index.ts";

/** The options of each driver. */
export interface DriverOptions {
  readonly disk: DiskOptions;
  readonly s3: S3Options;
}

/** The name of a storage driver, as a configuration has it. */
export type DriverName = keyof DriverOptions;

/**
 * Opens storage by the name of its driver, as a configuration has it.
 *
 * @example
 * ```ts
 * import { drivers } from "@daypass/gateway/drivers";
 *
 * const storage = await drivers.s3({
 *   region: "eu-west-1",
 *   credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" },
 *   bucket: "example-media-production",
 * });
 * await storage.close();
 * ```
 */
export const drivers: { readonly [name in DriverName]: (options: DriverOptions[name]) => Promise<Storage> } = {
  disk: async (options) => (await import("./disk/index.ts")).disk(options),
  s3: async (options) => (await import("./s3/index.ts")).s3(options),
};
