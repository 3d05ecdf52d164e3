import type { Storage } from "@daypass/gateway";
import type { IndexWriter, ReadProgress } from "@daypass/gateway/disk";
import { drivers, type StorageDriver } from "@daypass/gateway/drivers";
import type { Log } from "@daypass/gateway/node";
import { rotatingCredentials } from "daypass";
import { CommandError } from "../../command.ts";
import { awsSettings } from "../../credentials/aws.ts";
import { expectHostName } from "../../credentials/virtual-endpoint.ts";
import { describeValue, type Report, throwFault } from "./config-fault.ts";
import type { StorageConfig } from "./config-schema.ts";

/** Options of {@link openStorage}. */
export interface OpenStorageOptions {
  readonly root: string;
  readonly storage?: StorageConfig | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** For a worker that serves a folder: the index writer of the primary. */
  readonly writer?: IndexWriter | undefined;
}

/** An open storage. */
export interface OpenedStorage {
  readonly storage: Storage;
  /** Finds the credentials again, and returns a function that applies them. Throws if it finds no credentials. */
  findCredentials(): Promise<() => void>;
}

/** The driver that the configuration names. The default serves the folder. */
export function driverOf(storage: Pick<StorageConfig, "driver"> | undefined): StorageDriver {
  return drivers[storage?.driver ?? "disk"];
}

/** Opens the storage that the configuration names. */
export async function openStorage({ root, storage, env, log, writer }: OpenStorageOptions): Promise<OpenedStorage> {
  const driver = driverOf(storage);
  if (!driver.usesAccount) {
    const opened = driver.servesFolder ? driver({ root, writer, ...diskEvents(log) }) : driver({});
    return { storage: await opened, findCredentials: async () => () => undefined };
  }
  const { region, endpoint, addressing, bucket, buckets, profile, redirect, timeouts } = storage ?? {};
  // Temporary credentials are renewed before they expire.
  const find = async () => {
    const credentials = rotatingCredentials(async () => (await awsSettings(env, profile)).credentials, {
      onError: (error) => log.logger.error({ error: String(error) }, "could not renew the credentials of the storage"),
    });
    await credentials.ready();
    return credentials;
  };
  let credentials = await find();
  const found = await awsSettings(env, profile);
  const place = { endpoint: endpoint ?? found.endpoint, addressing: addressing ?? found.addressing };
  expectHostName(place.endpoint, place.addressing);
  const opened = await driver({
    region: region ?? found.region ?? "us-east-1",
    ...place,
    credentials: () => credentials.current(),
    bucket: buckets ?? bucket,
    redirect,
    timeouts,
  });
  return {
    storage: opened,
    async findCredentials() {
      const renewed = await find();
      return () => {
        credentials = renewed;
      };
    },
  };
}

/** The location of the objects as text. */
export function storageText(root: string, storage: StorageConfig | undefined): string {
  const driver = driverOf(storage);
  if (driver.servesFolder) return root;
  if (!driver.usesAccount) return `the storage of the driver ${storage?.driver}`;
  const { bucket, buckets, endpoint } = storage ?? {};
  const names = buckets === undefined ? bucket : Object.values(buckets).join(", ");
  return `${names === undefined ? "all buckets" : `the bucket ${names}`} of ${endpoint ?? "Amazon S3"}`;
}

/** Checks rules that the schema cannot express. `file` is the path of the configuration. */
export function checkStorage(storage: StorageConfig | undefined, file: string, report: Report = throwFault): void {
  if (storage === undefined) return;
  const { driver, bucket, buckets, ...rest } = storage;
  const isConfigured = bucket !== undefined || buckets !== undefined || Object.keys(rest).length > 0;
  if (isConfigured && !driverOf(storage).usesAccount) {
    const names = Object.entries(drivers).flatMap(([name, { usesAccount }]) => (usesAccount ? [name] : []));
    report(
      `storage in ${file} has settings of a bucket, and storage.driver is ${describeValue(driver)}. Set storage.driver to ${describeValue(names.join(", "))}`,
    );
  }
  if (bucket !== undefined && buckets !== undefined) {
    report("storage.bucket and storage.buckets are both set. List all buckets in buckets alone");
  }
  if (buckets !== undefined) checkNames(Object.keys(buckets), file, report);
}

/** Refuses names that no path can contain. `/-/` belongs to the gateway. */
function checkNames(names: readonly string[], file: string, report: Report): void {
  if (names.length === 0)
    report(
      `storage.buckets in ${file} is empty. Name a bucket, or remove the setting to serve all buckets of the account`,
    );
  for (const name of names) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: matches control characters on purpose
    if (name !== "-" && /^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$/.test(name)) continue;
    report(
      `storage.buckets in ${file} has ${describeValue(name)}, with which no path can begin. Use a name without slashes that does not begin with a dot`,
    );
  }
}

/** Logs why the first listing of a folder takes long. */
export function diskEvents({ logger }: Log): { onRead(progress: ReadProgress): void } {
  return {
    onRead: (progress) =>
      logger.info(
        progress,
        progress.ended ? "read the folders of a bucket" : "reading the folders of a bucket, its listings wait",
      ),
  };
}

/** Refuses Node's permission model, because it forbids fsync(), and every upload would fail. */
export function expectFlushes(): void {
  if (process.permission === undefined) return;
  throw new CommandError(
    "Node runs with --permission, which forbids flushing files (fsync). Restrict the process through the system instead, such as with ProtectSystem of systemd",
  );
}
