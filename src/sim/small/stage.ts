import type { Protocol } from '../protocol.ts'
import type { Network } from './network.ts'
import type { Oracle } from './oracle.ts'
import type { Teller } from './teller.ts'

/** What all parts of a world share. */
export type Stage = Readonly<{
  protocol: Protocol
  network: Network
  oracle: Oracle
  /** `undefined`: the run writes no log. */
  teller: Teller | undefined
  time: Time
}>

/** The time of a world is the number of its steps. */
export type Time = {
  now: number
  /** Everything from before this time has died in a grace time. */
  deadBefore: number
}
