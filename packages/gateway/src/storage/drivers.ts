/**
 * The registry of storage drivers. Each is loaded only when it is opened, so a gateway for an S3 bucket needs no SQLite.
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

/** The name of a storage driver in a configuration. */
export type DriverName = keyof DriverOptions;

/** What a driver declares. Callers decide by these properties, never by the driver's name. */
export interface DriverCapabilities {
  /** Objects are files in a folder of this machine, and one process owns the index of that folder. The options are `DiskOptions`. */
  readonly servesFolder: boolean;
  /** Objects are in buckets of an account: an endpoint, a region and credentials lead to them. The options are `S3Options`. */
  readonly usesAccount: boolean;
}

/** Opens storage, and says what that storage is. */
export type Driver<Options, Capabilities extends DriverCapabilities> = ((options: Options) => Promise<Storage>) &
  Capabilities;

/** A row of the registry. A driver with neither capability gets no options. */
export type StorageDriver =
  | Driver<DiskOptions, { readonly servesFolder: true; readonly usesAccount: false }>
  | Driver<S3Options, { readonly servesFolder: false; readonly usesAccount: true }>
  | Driver<Readonly<Record<string, never>>, { readonly servesFolder: false; readonly usesAccount: false }>;

/**
 * Opens storage by the name of its driver in a configuration.
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
 * console.log(drivers.s3.servesFolder); // false
 * ```
 */
export const drivers: {
  readonly [name in DriverName]: Extract<StorageDriver, (options: DriverOptions[name]) => Promise<Storage>>;
} = {
  disk: Object.assign(async (options: DiskOptions) => (await import("./disk/index.ts")).disk(options), {
    servesFolder: true,
    usesAccount: false,
  } as const),
  s3: Object.assign(async (options: S3Options) => (await import("./s3/index.ts")).s3(options), {
    servesFolder: false,
    usesAccount: true,
  } as const),
};
