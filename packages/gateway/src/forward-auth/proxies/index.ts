import type { ProxyDialect } from "../proxy-request.ts";
import { caddy } from "./caddy.ts";
import { envoy } from "./envoy.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";
import { traefik } from "./traefik.ts";
import { varnish } from "./varnish.ts";

/** The proxies, by the name that follows `/-/auth/`. Apache asks by FastCGI. */
export const proxies: Readonly<Record<string, ProxyDialect>> = { caddy, envoy, haproxy, nginx, traefik, varnish };
