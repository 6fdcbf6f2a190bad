/**
 * Says which connector does the transfer of a joint epoch, and its progress. The claim is a register: the
 * connector that works writes to it once a second, and all connectors read it. It is only a hint: if two
 * connectors work, the same work is done twice, which is safe.
 */
import type { Clock } from '../process/clock.ts'
import type { RegisterClient } from '../replication/register-client.ts'

/** The key of that register, in the namespace of the membership. */
const CLAIM_KEY = 'cluster/transfer'

/**
 * A claim that has not been renewed for this long, by the clock of the connector that watches it, may be
 * taken over.
 */
export const CLAIM_MS = 5_000

/** How many keys are done, and about how many there are. */
export type TransferProgress = Readonly<{ done: number; total: number }>

type Claim = TransferProgress & Readonly<{ epoch: number; owner: string; beat: number }>

export type TransferClaimOptions = Readonly<{
  epoch: number
  client: Pick<RegisterClient, 'submit'>
  /** The name of this connector, which no other connector has. */
  owner: string
  clock: Clock
}>

export class TransferClaim {
  readonly #options: TransferClaimOptions
  #seen: Claim | undefined
  #changedAtMs: number
  /** Whether this connector held the claim at the last `tick`. */
  isOurs = false

  /**
   * @param isEager whether an unclaimed transfer is claimed at once, and not only after `CLAIM_MS`
   */
  constructor(options: TransferClaimOptions, isEager: boolean) {
    this.#options = options
    this.#changedAtMs = isEager ? Number.NEGATIVE_INFINITY : options.clock.nowMs()
  }

  /** The progress, as the working connector has last written it. */
  get progress(): TransferProgress | undefined {
    return this.#seen
  }

  /**
   * Reads the claim, renews it when it is ours, and takes it over when no connector renews it. Call it once a
   * second.
   */
  async tick(own: TransferProgress): Promise<void> {
    const { client, clock, owner, epoch } = this.#options
    const mayTake = clock.nowMs() - this.#changedAtMs >= CLAIM_MS
    const before = this.#seen
    const outcome = await client.submit<Claim | undefined>(CLAIM_KEY, (value) => {
      const current = value === undefined ? undefined : decode(value)
      const held = current?.epoch === epoch ? current : undefined
      const isUnchanged = held?.owner === before?.owner && held?.beat === before?.beat
      if (held?.owner !== owner && !(mayTake && isUnchanged)) return { kind: 'keep', result: held }
      const claim: Claim = { ...own, epoch, owner, beat: (held?.beat ?? 0) + 1 }
      return { kind: 'propose', value: Buffer.from(JSON.stringify(claim)), result: claim }
    })
    if (outcome.kind !== 'decided') return
    const claim = outcome.result
    if (claim?.owner !== before?.owner || claim?.beat !== before?.beat) this.#changedAtMs = clock.nowMs()
    this.#seen = claim
    this.isOurs = claim?.owner === owner
  }
}

/** The claim. `undefined`: the value cannot be read. That is harmless, because a claim is only a hint. */
function decode(value: Uint8Array): Claim | undefined {
  try {
    const claim: unknown = JSON.parse(Buffer.from(value).toString())
    return typeof claim === 'object' && claim !== null ? (claim as Claim) : undefined
  } catch {
    return undefined
  }
}
