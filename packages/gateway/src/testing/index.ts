/**
 * For tests: a gateway on a temporary folder, and the contract suite for storage drivers.
 *
 * @module
 */
export { type RecordingStorage, recordingStorage, type StorageCall } from "./recording-storage.ts";
export { type StateContractOptions, stateContract } from "./state-contract.ts";
export { type StorageContractOptions, storageContract, type TestFunctions } from "./storage-contract.ts";
export { type TestClients, type TestGateway, type TestGatewayOptions, testGateway } from "./test-gateway.ts";
