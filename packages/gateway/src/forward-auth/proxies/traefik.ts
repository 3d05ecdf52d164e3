import { fromHeaders, type ProxyDialect } from "../proxy-request.ts";

/** The middleware `forwardAuth`, with `trustForwardHeader` off. */
export const traefik: ProxyDialect = {
  read: fromHeaders({
    method: "x-forwarded-method",
    target: "x-forwarded-uri",
    host: "x-forwarded-host",
    address: "x-forwarded-for",
  }),
};
