/**
 * Ends a joint epoch: claims the transfer if no connector works on it, does the transfer, and proposes the
 * next epoch.
 */
import type { Logger } from 'pino'
import { sleep } from '../process/clock.ts'
import type { RegisterClient } from '../replication/register-client.ts'
import type { Membership } from '../rpc/messages.ts'
import { changeMembership } from './membership-register.ts'
import { finish } from './plan-change.ts'
import { type TransferOptions, transfer } from './transfer.ts'
import { TransferClaim, type TransferProgress } from './transfer-claim.ts'

export type TransferDriverOptions = Omit<TransferOptions, 'signal' | 'onKeyDone' | 'client'> &
  Readonly<{
    client: RegisterClient
    /** The name of this connector, which no other connector has. */
    owner: string
    /** Whether this connector has begun the change. */
    isEager: boolean
    /** About how many keys there are. */
    countKeys: () => Promise<number>
    /** Called when the next epoch is chosen. */
    onFinished: (membership: Membership) => void
    logger: Pick<Logger, 'info'>
  }>

const TICK_MS = 1_000

export class TransferDriver {
  readonly #options: TransferDriverOptions
  readonly #claim: TransferClaim
  readonly #epochOver = new AbortController()
  /** Ends the transfer that runs in this connector. `undefined`: none runs. */
  #work: AbortController | undefined
  #done = 0
  #total = 0

  constructor(options: TransferDriverOptions) {
    const { client, owner, clock, isEager, membership } = options
    this.#options = options
    this.#claim = new TransferClaim({ epoch: membership.epoch, client, owner, clock }, isEager)
    void this.#run()
  }

  /** The progress of the transfer, in this connector or another. `undefined` until it is known. */
  get progress(): TransferProgress | undefined {
    return this.#work === undefined ? this.#claim.progress : this.#own
  }

  /** Call it when the epoch is over, or when the connector stops. */
  close(): void {
    this.#epochOver.abort()
    this.#work?.abort()
  }

  get #own(): TransferProgress {
    return { done: this.#done, total: Math.max(this.#done, this.#total) }
  }

  async #run(): Promise<void> {
    const { signal } = this.#epochOver
    const { clock, countKeys } = this.#options
    this.#total = await countKeys()
    while (!signal.aborted) {
      await this.#claim.tick(this.#own)
      if (signal.aborted) return
      if (!this.#claim.isOurs) this.#stopWork()
      else if (this.#work === undefined) void this.#startWork()
      await sleep(TICK_MS, clock, signal)
    }
  }

  #stopWork(): void {
    this.#work?.abort()
    this.#work = undefined
  }

  async #startWork(): Promise<void> {
    const work = new AbortController()
    const { logger, membership } = this.#options
    const { clusterId, epoch } = membership
    this.#work = work
    this.#done = 0
    logger.info(
      { clusterId, epoch, keys: this.#total },
      'this connector carries out the change of the membership',
    )
    const onKeyDone = () => {
      this.#done += 1
    }
    if (await transfer({ ...this.#options, signal: work.signal, onKeyDone })) await this.#finish()
    if (this.#work === work) this.#work = undefined
  }

  async #finish(): Promise<void> {
    const { client, membership, onFinished } = this.#options
    const outcome = await changeMembership(client, membership, finish(membership))
    // Without a decision the transfer begins again, but ends soon, because everything is sealed by now.
    if (outcome.kind === 'decided' && !this.#epochOver.signal.aborted) onFinished(outcome.membership)
  }
}
