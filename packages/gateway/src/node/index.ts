/**
 * The socket side of the gateway, on `node:http`.
 *
 * @module
 */
export { type NodeHandler, toNodeHandler } from "./handler.ts";
export { type GatewayServer, type ListenOptions, listen } from "./listen.ts";
