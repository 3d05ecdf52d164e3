import { fromHeaders, type ProxyDialect } from "../proxy-request.ts";

/** `auth_request`. It turns every denial but 401 and 403 into 500. */
export const nginx: ProxyDialect = {
  read: fromHeaders({
    method: "x-original-method",
    target: "x-original-uri",
    host: "x-original-host",
    address: "x-real-ip",
  }),
  denial: (status) => (status === 401 ? 401 : 403),
};
