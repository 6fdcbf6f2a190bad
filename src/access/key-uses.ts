import type { Logger } from 'pino'
import { type Clock, sleep } from '../process/clock.ts'
import { recordUse, USE_INTERVAL_MS } from './api-key.ts'
import type { KeyStore } from './key-store.ts'

/** The pause between two rounds of writing. */
const PAUSE_MS = 30_000
/** How many uses one round writes at most. The others come in the next rounds. */
const WRITES_MAX = 100

/**
 * Records when keys were used: roughly, because each record costs a write. Each connector writes the use of a
 * key at most every ten minutes, and only if no other connector has done so.
 */
export class KeyUses {
  readonly #store: Pick<KeyStore, 'change'>
  readonly #clock: Pick<Clock, 'after'>
  readonly #logger: Pick<Logger, 'debug'>
  /** The last use of each key that is not written yet, in milliseconds since 1970. */
  readonly #pending = new Map<string, number>()
  readonly #closing = new AbortController()

  constructor(
    store: Pick<KeyStore, 'change'>,
    { clock, logger }: Readonly<{ clock: Pick<Clock, 'after'>; logger: Pick<Logger, 'debug'> }>,
  ) {
    this.#store = store
    this.#clock = clock
    this.#logger = logger
  }

  /** @param lastUsedAtMs the use that is recorded in the cluster, as far as this connector knows */
  note(keyId: string, lastUsedAtMs: number, usedAtMs: number): void {
    if (usedAtMs - lastUsedAtMs >= USE_INTERVAL_MS) this.#pending.set(keyId, usedAtMs)
  }

  /** Writes until it is closed. Never rejects. */
  async run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await sleep(PAUSE_MS, this.#clock, this.#closing.signal)
      if (!this.#closing.signal.aborted) await this.#write()
    }
  }

  close(): void {
    this.#closing.abort()
  }

  async #write(): Promise<void> {
    for (const [keyId, usedAtMs] of [...this.#pending].slice(0, WRITES_MAX)) {
      this.#pending.delete(keyId)
      const outcome = await this.#store.change(keyId, recordUse(new Date(usedAtMs).toISOString()))
      // The next use is written instead.
      if (outcome.kind !== 'done') this.#logger.debug({ keyId, outcome }, 'the use of a key was not recorded')
    }
  }
}
