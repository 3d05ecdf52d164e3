/** The setting `state`: a folder, or a folder and the PostgreSQL that replicas share. */
import { resolve } from "node:path";
import type { Report } from "./config-fault.ts";
import type { StateConfig } from "./config-schema.ts";

type Replicated = Exclude<StateConfig, string>;

/** Where a secret is found: a file, or an environment variable. */
export type SecretPlace = NonNullable<Replicated["postgres"]>;

/** The PostgreSQL of a gateway. */
export type DatabaseSettings = Omit<Replicated, "folder" | "postgres"> & { readonly postgres: SecretPlace };

/** The setting with absolute paths. */
export function absoluteState(state: StateConfig, base: string): StateConfig {
  if (typeof state === "string") return resolve(base, state);
  const secret = (place: SecretPlace | undefined) =>
    place?.file === undefined ? place : { ...place, file: resolve(base, place.file) };
  const { folder, postgres, direct } = state;
  return {
    ...state,
    ...(folder === undefined ? {} : { folder: resolve(base, folder) }),
    ...(postgres === undefined ? {} : { postgres: secret(postgres) as SecretPlace }),
    ...(direct === undefined ? {} : { direct: secret(direct) as SecretPlace }),
  };
}

/** The folder and the database of the setting. Reports if they do not fit each other. */
export function stateOf(
  state: StateConfig | undefined,
  report: Report,
): {
  readonly folder: string | undefined;
  readonly database: DatabaseSettings | undefined;
} {
  if (state === undefined || typeof state === "string") return { folder: state, database: undefined };
  const { folder, postgres, ...others } = state;
  if (postgres === undefined) {
    const [without] = Object.keys(others);
    if (without === undefined) return { folder, database: undefined };
    report(`state.${without} needs state.postgres. Name its address, or remove state.${without}`);
    return { folder, database: undefined };
  }
  for (const [name, place] of Object.entries({ postgres, direct: others.direct })) {
    if (place === undefined || (place.file === undefined) !== (place.variable === undefined)) continue;
    report(
      `state.${name} has ${place.file === undefined ? "neither file nor" : "both file and"} variable. Name one of them`,
    );
  }
  return { folder, database: { postgres, ...others } };
}
