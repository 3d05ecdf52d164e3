import { DaypassError } from "daypass";
import { expectForms, type FormsOf, flag, listOf, origin, required } from "../http/validate-options.ts";
import type { GrantPlace } from "../protocols/route/grants.ts";
import { isPlainPath } from "../upstream/plain-path.ts";

/** Paths of a protected host that proxies ask about. */
export interface ForwardAuthHost {
  /** The origin that clients use, `scheme://host[:port]`. */
  readonly origin: string;
  /** A path that ends with `/`, `/` by default. */
  readonly prefix?: string | undefined;
  /** Methods that grants and visits may use, `["GET"]` by default. `GET` includes `HEAD`. */
  readonly methods?: readonly string[] | undefined;
  /** Whether URLs for a subject are accepted because the app compares `Daypass-Subject`. Off by default: they are refused. */
  readonly subjects?: boolean | undefined;
}

const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const FORMS: FormsOf<ForwardAuthHost> = {
  origin: required(origin),
  prefix: [(value) => typeof value === "string" && /\/$/.test(value) && isPlainPath(value), "a path that ends with /"],
  methods: listOf([(value) => METHODS.includes(String(value)), `one of ${METHODS.join(", ")}`], { least: 1 }),
  subjects: flag,
};

/** @throws {DaypassError} `INVALID_INPUT` */
export function placesOf(hosts: readonly ForwardAuthHost[]): readonly GrantPlace[] {
  if (hosts.length === 0) throw new DaypassError("INVALID_INPUT", "hosts is empty: name the hosts that are protected");
  return hosts.map((host, i) => {
    expectForms(host, FORMS, `hosts[${i}]`);
    const { origin, prefix = "/", methods = ["GET"], subjects = false } = host;
    return {
      origin,
      prefix,
      subjects,
      requires: [],
      methods: methods.includes("GET") ? [...methods, "HEAD"] : methods,
    };
  });
}
