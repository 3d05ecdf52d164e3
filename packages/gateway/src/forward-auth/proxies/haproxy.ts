import { fromHeaders, type ProxyDialect } from "../proxy-request.ts";

/** The Lua action of the guide. */
export const haproxy: ProxyDialect = {
  read: fromHeaders({
    method: "x-original-method",
    target: "x-original-uri",
    host: "x-original-host",
    address: "x-real-ip",
  }),
};
