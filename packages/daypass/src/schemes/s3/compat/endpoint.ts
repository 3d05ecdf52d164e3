import { invalidInput, refusal } from "../../../core/errors.ts";
import type { AwsS3Command, CommandInput, SdkConfig, SdkEndpoint, SdkInstruction, URL } from "./operation.ts";

/** Where a request goes and for what it is signed, by the client's own rules. */
export interface Address {
  /** `scheme://host[:port]` */
  readonly origin: string;
  readonly host: string;
  /** Encoded path of the endpoint, with the bucket if the path contains it; empty for the root. */
  readonly base: string;
  readonly region: string;
  readonly service: string;
  /** Whether it is signed with the credentials of a session of S3 Express. */
  readonly needsSession: boolean;
}

type Parameters = Record<string, unknown>;

/** What an address depends on, and the address. */
interface Found {
  readonly instructions: Instructions;
  readonly bucket: unknown;
  readonly region: unknown;
  readonly settings: Settings;
  readonly address: Address;
}

/** Finds the addresses of one client's requests. */
export interface AddressFinder {
  /** The latest address, if it is this command's, too. */
  known(command: AwsS3Command, input: CommandInput, region: unknown): Address | undefined;
  find(command: AwsS3Command, input: CommandInput, region: unknown): Promise<Address>;
}

/**
 * Finds addresses with one client's endpoint rules. The latest answer is kept, as most URLs are for one bucket. The region
 * is asked for each time; a function in another setting (FIPS, dual stack, …) is taken to give what it gave before.
 */
export function addressFinder(config: SdkConfig): AddressFinder {
  const { endpointProvider } = config;
  if (typeof endpointProvider !== "function") {
    throw invalidInput("client", "a client of @aws-sdk/client-s3 with its endpoint rules", "another");
  }
  // What is a prototype V8 keeps as an object; the SDK's own has so many members that it became a table, where looking one up
  // costs ten times as much, and a dozen of them a twentieth of a signature. Not of another class: its getters may read
  // private members, which what inherits from it does not have.
  const isPlain = Object.getPrototypeOf(config) === Object.prototype;
  const current = isPlain ? (Object.create(config) as SdkConfig) : config;
  let last: Found | undefined;
  return {
    known(command, { Bucket }, region) {
      const instructions = instructionsOf(command);
      if (last?.instructions !== instructions || last.region !== region) return undefined;
      if (last.bucket !== Bucket) return undefined;
      return isUnchanged(last.settings, current, instructions) ? last.address : undefined;
    },
    async find(command, input, region) {
      const instructions = instructionsOf(command);
      const others = instructions.others.map((name) => config[name]);
      const settings = { usual: usualSettings(current), others };
      const parameters = await resolveParameters(config, instructions, { input, region });
      const bucket = input["Bucket"];
      const endpoint = endpointProvider(parameters, {});
      const isOwn = config.bucketEndpoint === true && bucket !== undefined;
      const address = readEndpoint(isOwn ? { ...endpoint, url: bucketUrl(bucket) } : endpoint);
      last = { instructions, bucket, region, settings, address };
      return address;
    },
  };
}

async function resolveParameters(
  config: SdkConfig,
  { list }: Instructions,
  { input, region }: { readonly input: object; readonly region: unknown },
): Promise<Parameters> {
  const parameters: Parameters = {};
  for (const [name, { type, name: key = name, value }] of list) {
    if (type === "staticContextParams") parameters[name] = value;
    else if (type === "contextParams") parameters[name] = Reflect.get(input, key);
    // Not asked for again: the address is kept for this one.
    else if (key === "region") parameters[name] = region;
    else parameters[name] = await configValue(config, name, key, type === "clientContextParams");
  }
  // The environment and the shared profile may name an endpoint, too.
  if (!config.isCustomEndpoint && !config.ignoreConfiguredEndpointUrls) {
    parameters["Endpoint"] = (await config.serviceConfiguredEndpoint?.()) ?? parameters["Endpoint"];
  }
  adjustForBucket(parameters, config.bucketEndpoint === true);
  return parameters;
}

/** How the parameters of a command's endpoint are found. */
interface Instructions {
  readonly list: readonly (readonly [name: string, instruction: SdkInstruction])[];
  /** Members of the client's configuration that are asked beside {@link usualSettings}. */
  readonly others: readonly string[];
}

/** A client's own settings, as its configuration has them: values, or functions that give them. */
interface Settings {
  readonly usual: UsualSettings;
  readonly others: readonly unknown[];
}

type UsualSettings = ReturnType<typeof usualSettings>;

/** The settings that the rules of S3 ask for, but for the region, whose value is compared. */
function usualSettings({
  isCustomEndpoint,
  bucketEndpoint,
  endpoint,
  forcePathStyle,
  useArnRegion,
  disableMultiregionAccessPoints,
  useAccelerateEndpoint,
  disableS3ExpressSessionAuth,
  useGlobalEndpoint,
  useFipsEndpoint,
  useDualstackEndpoint,
}: SdkConfig) {
  return {
    isCustomEndpoint,
    bucketEndpoint,
    endpoint,
    forcePathStyle,
    useArnRegion,
    disableMultiregionAccessPoints,
    useAccelerateEndpoint,
    disableS3ExpressSessionAuth,
    useGlobalEndpoint,
    useFipsEndpoint,
    useDualstackEndpoint,
  };
}

const USUAL: object = usualSettings({});

function isUnchanged({ usual: was, others }: Settings, config: SdkConfig, { others: names }: Instructions): boolean {
  const is = config as UsualSettings;
  // One by one: by names out of a list it would cost what the table does.
  return (
    is.isCustomEndpoint === was.isCustomEndpoint &&
    is.bucketEndpoint === was.bucketEndpoint &&
    is.endpoint === was.endpoint &&
    is.forcePathStyle === was.forcePathStyle &&
    is.useArnRegion === was.useArnRegion &&
    is.disableMultiregionAccessPoints === was.disableMultiregionAccessPoints &&
    is.useAccelerateEndpoint === was.useAccelerateEndpoint &&
    is.disableS3ExpressSessionAuth === was.disableS3ExpressSessionAuth &&
    is.useGlobalEndpoint === was.useGlobalEndpoint &&
    is.useFipsEndpoint === was.useFipsEndpoint &&
    is.useDualstackEndpoint === was.useDualstackEndpoint &&
    names.every((name, i) => config[name] === others[i])
  );
}

const known = new WeakMap<object, Instructions>();

function instructionsOf({ constructor: kind }: AwsS3Command): Instructions {
  let instructions = known.get(kind);
  if (instructions === undefined) {
    const get: unknown = Reflect.get(kind, "getEndpointParameterInstructions");
    if (typeof get !== "function") throw invalidInput("command", "a command of @aws-sdk/client-s3", "another");
    const list = Object.entries(get.call(kind) as Readonly<Record<string, SdkInstruction>>);
    const asked = list.filter(([, { type }]) => /^(?:clientContext|builtIn)Params$/.test(type));
    const names = asked.map(([name, { name: key = name }]) => key);
    instructions = { list, others: names.filter((name) => name !== "region" && !(name in USUAL)) };
    known.set(kind, instructions);
  }
  return instructions;
}

function configValue(config: SdkConfig, name: string, key: string, isClientParameter: boolean): unknown {
  if (name === "Endpoint") return config.isCustomEndpoint === false ? undefined : endpointUrl(config.endpoint);
  const nested = isClientParameter ? (config["clientContextParams"] as Parameters | undefined)?.[key] : undefined;
  const value = nested ?? config[key] ?? config[name];
  return typeof value === "function" ? (value as () => unknown)() : value;
}

async function endpointUrl(endpoint: unknown): Promise<unknown> {
  const value: unknown = typeof endpoint === "function" ? await (endpoint as () => unknown)() : endpoint;
  if (typeof value !== "object" || value === null) return value;
  const { url, protocol, hostname, port, path } = value as Readonly<Record<string, unknown>>;
  if (url !== undefined) return String(url);
  return `${String(protocol)}//${String(hostname)}${port ? `:${String(port)}` : ""}${String(path)}`;
}

const DNS_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const ADDRESS = /(?:\d+\.){3}\d+/;

/** What the SDK makes of a bucket's name before it asks its rules: some names are for path style only. */
function adjustForBucket(parameters: Parameters, isUrl: boolean): void {
  const { Bucket: bucket = "", Endpoint: endpoint } = parameters;
  if (typeof bucket !== "string" || (bucket.includes("/") && !isUrl && !bucket.startsWith("arn:"))) {
    throw invalidInput("Bucket", "a bucket's name or ARN", bucket);
  }
  if (typeof parameters["Bucket"] === "string") {
    parameters["Bucket"] = bucket.replaceAll("#", "%23").replaceAll("?", "%3F");
  }
  const isHost = DNS_NAME.test(bucket) && !ADDRESS.test(bucket) && !bucket.includes("..");
  const isDotted = bucket.includes(".") && !String(endpoint).startsWith("http:");
  if (!bucket.startsWith("arn:") && (!isHost || isDotted)) parameters["ForcePathStyle"] = true;
  if (parameters["DisableMultiRegionAccessPoints"]) parameters["DisableMRAP"] = true;
}

/** "bucketEndpoint: Whether to provide the bucket name as the endpoint": the rules are asked all the same, for the region. */
function bucketUrl(bucket: unknown): URL {
  if (typeof bucket !== "string" || !/^https?:\/\/[^/?#\\\s@]+(?:\/[^?#\\\s]*)?$/.test(bucket)) {
    throw invalidInput("Bucket", "scheme://host[:port][/path]", bucket);
  }
  return new (Reflect.get(globalThis, "URL") as new (text: string) => URL)(bucket);
}

function readEndpoint({ url, properties }: SdkEndpoint): Address {
  const schemes = properties?.authSchemes ?? [];
  const scheme = schemes.find(({ name }) => name === "sigv4" || name === "sigv4-s3express");
  if (scheme === undefined || scheme.signingRegion === undefined) {
    throw refusal(
      "UNSUPPORTED_CONSTRAINT",
      "a Multi-Region Access Point is not in one region. Use s3V4aSigner of daypass/s3/v4a",
      { constraint: "Bucket" },
    );
  }
  const { protocol, hostname, port, pathname } = url;
  const host = port === "" ? hostname : `${hostname}:${port}`;
  return {
    origin: `${protocol}//${host}`,
    host,
    base: pathname === "/" ? "" : pathname,
    region: scheme.signingRegion,
    service: scheme.signingName ?? "s3",
    needsSession: scheme.name === "sigv4-s3express",
  };
}
