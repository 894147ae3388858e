export { readStandaloneConfig, type StandaloneConfig } from './config.ts'
export { type Standalone, startStandalone } from './start.ts'
