import type { WireRequest } from "daypass";
import { expect, test } from "vitest";
import { trustedProxies } from "../src/serve/trusted-proxies.ts";

const client = (networks: readonly string[], peer: string, ...forwarded: readonly string[]): string | undefined => {
  const headers = forwarded.map((value) => ["X-Forwarded-For", value] as const);
  const request: WireRequest = { method: "GET", target: "/", authority: "a.example", headers, remoteAddress: peer };
  return trustedProxies(networks)(request).remoteAddress;
};

test.each([
  [[], "10.0.0.1", ["192.0.2.1"], "10.0.0.1"],
  [["10.0.0.0/8"], "10.0.0.1", ["192.0.2.1"], "192.0.2.1"],
  [["10.0.0.0/8"], "::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1"],
  [["10.0.0.0/8"], "192.0.2.9", ["192.0.2.1"], "192.0.2.9"],
  // The client wrote the first one; the proxy saw the second.
  [["10.0.0.0/8"], "10.0.0.1", ["203.0.113.5, 192.0.2.1"], "192.0.2.1"],
  [["10.0.0.0/8"], "10.0.0.1", ["203.0.113.5, 192.0.2.1, 10.0.0.2"], "192.0.2.1"],
  [["10.0.0.0/8"], "10.0.0.1", ["203.0.113.5", "192.0.2.1"], "192.0.2.1"],
  [["10.0.0.0/8"], "10.0.0.1", [], "10.0.0.1"],
  [["10.0.0.0/8"], "10.0.0.1", ["unknown"], undefined],
  [["fd00::/8"], "fd00::1", ["2001:db8::1"], "2001:db8::1"],
  [["10.0.0.1"], "10.0.0.2", ["192.0.2.1"], "10.0.0.2"],
])("with %j in front, the peer %s and %j it is %s", (networks, peer, forwarded, expected) => {
  expect(client(networks, peer, ...forwarded)).toBe(expected);
});

test.each(["", "10.0.0.0/33", "proxy.example", "10.0.0.0/x", "10.0.0.0/8/16", "fe80::1/129"])(
  "refuses %j as a network",
  (network) => {
    expect(() => trustedProxies([network])).toThrow(/CIDR/);
  },
);
