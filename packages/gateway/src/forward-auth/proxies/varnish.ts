import { fromHeaders, type ProxyDialect } from "../proxy-request.ts";

/** The VCL of the guide, which asks and then restarts. */
export const varnish: ProxyDialect = {
  read: fromHeaders({
    method: "x-original-method",
    target: "x-original-uri",
    host: "x-original-host",
    address: "x-real-ip",
  }),
};
