/**
 * Who of the connectors does the transfer of a joint epoch, and how far it is: a register that the one at
 * work writes to once a second, and everybody reads. A hint only: two that believe it is theirs do the same
 * work twice, and no harm.
 */
import type { Clock } from '../process/clock.ts'
import type { RegisterClient } from '../replication/register-client.ts'

/** Its key is next to that of the membership. */
const CLAIM_KEY = 'cluster/transfer'

/** How long a claim lasts that is not renewed, by the clock of whoever watches it. */
export const CLAIM_MS = 5_000

/** Keys that are done, and about how many there are. */
export type TransferProgress = Readonly<{ done: number; total: number }>

type Claim = TransferProgress & Readonly<{ epoch: number; owner: string; beat: number }>

export type TransferClaimOptions = Readonly<{
  epoch: number
  client: Pick<RegisterClient, 'submit'>
  /** This connector, as nobody else calls itself. */
  owner: string
  clock: Clock
}>

export class TransferClaim {
  readonly #options: TransferClaimOptions
  #seen: Claim | undefined
  #changedAtMs: number
  /** Whether the last word was that the transfer is ours. */
  isOurs = false

  /** `isEager`: an epoch without any claim is claimed at once, and not only when it stays so. */
  constructor(options: TransferClaimOptions, isEager: boolean) {
    this.#options = options
    this.#changedAtMs = isEager ? Number.NEGATIVE_INFINITY : options.clock.nowMs()
  }

  /** How far the one at work was when it last said so. */
  get progress(): TransferProgress | undefined {
    return this.#seen
  }

  /**
   * Looks whose it is, renews it if it is ours, and takes it if nobody works on it. Call it about once a
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

function decode(value: Uint8Array): Claim {
  return JSON.parse(Buffer.from(value).toString()) as Claim
}
