import type { Protocol } from '../protocol.ts'
import type { Network } from './network.ts'
import type { Oracle } from './oracle.ts'
import type { Teller } from './teller.ts'

/** What all parts of a world share. */
export type Stage = Readonly<{
  protocol: Protocol
  network: Network
  oracle: Oracle
  /** `undefined`: nobody wants to read what happens. */
  teller: Teller | undefined
  time: Time
}>

/** Steps count as time. */
export type Time = {
  now: number
  /** What is older has died in a grace time. */
  deadBefore: number
}
