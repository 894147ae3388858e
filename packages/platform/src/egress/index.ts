export { AddressRangeError, type AddressRanges, addressRanges } from './addresses.ts'
export type { Resolve, ResolvedAddress } from './connector.ts'
export {
  createEgress,
  type Egress,
  type EgressOptions,
  type EgressRequest,
  MAX_RESPONSE_BODY,
  MAX_RESPONSE_HEADERS,
} from './egress.ts'
export { type ExchangeOptions, exchange, type Posted } from './exchange.ts'
export type { EgressOutcome, EgressResponse } from './outcome.ts'
