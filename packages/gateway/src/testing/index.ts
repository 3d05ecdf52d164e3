/**
 * For tests: a gateway over a temporary folder, and the contract that every storage driver keeps.
 *
 * @module
 */
export { type RecordingStorage, recordingStorage, type StorageCall } from "./recording-storage.ts";
export { type StorageContractOptions, storageContract, type TestFunctions } from "./storage-contract.ts";
export { type TestClients, type TestGateway, type TestGatewayOptions, testGateway } from "./test-gateway.ts";
