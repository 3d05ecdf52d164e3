const HERE = "127.0.0.1,localhost,::1";

/** Keeps the clients that suites start from the proxy that the environment names, as on a company's network: all servers of suites are here. */
export const LOOPBACK = { NO_PROXY: HERE, no_proxy: HERE };
