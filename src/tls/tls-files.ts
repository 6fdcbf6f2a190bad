/**
 * The certificate, the key and the CAs of a process, read again whenever their files change. A change that
 * cannot be used is reported, and the last good files stay in use.
 */
import { statSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import { FaultError } from '../process/fault.ts'
import { isReadByOthers, statOf } from '../process/private-files.ts'
import { type Expiry, ExpiryLog, expiriesOf } from './expiry.ts'
import { readMaterial, TlsFileError, type TlsMaterial, type TlsPaths } from './material.ts'

export type TlsFilesOptions = Readonly<{
  paths: TlsPaths
  /** What the files are for, in messages and metrics: `node` or `api`. */
  name: string
  /** Why this process cannot use what the files hold, as a sentence without its full stop. */
  objection?: (material: TlsMaterial) => string | undefined
  clock: Pick<Clock, 'after'>
  now: () => Date
  logger: Pick<Logger, 'info' | 'warn' | 'error'>
}>

/** How often the files are looked at. */
const POLL_MS = 1_000

export class TlsFiles {
  readonly #options: TlsFilesOptions
  readonly #expiryLog: ExpiryLog
  readonly #listeners = new Set<(material: TlsMaterial) => void>()
  #material: TlsMaterial
  /** The state of the files when they were last read. */
  #seen: string
  /** The state of files that could not be used. */
  #bad: string | undefined
  /** The state of files that could not be used, and that was reported. */
  #reported: string | undefined
  #reloadCount = 0
  #cancel: () => void = () => {}

  /** @throws {FaultError} when the files cannot be used */
  constructor(options: TlsFilesOptions) {
    this.#options = options
    this.#seen = stateOf(options.paths)
    try {
      this.#material = this.#read()
    } catch (error) {
      if (!(error instanceof TlsFileError)) throw error
      throw new FaultError(
        'certificates_unusable',
        `${error.message}: name files that fit together, as "cohort certs init" makes them`,
        error,
      )
    }
    this.#warnOfReaders()
    this.#expiryLog = new ExpiryLog(options)
    this.#expiryLog.check(this.expiries)
    this.#schedule()
  }

  /** The last good content of the files. */
  get current(): TlsMaterial {
    return this.#material
  }

  /** When what is in use expires. */
  get expiries(): readonly Expiry[] {
    return expiriesOf(this.#options.name, this.#material)
  }

  /** How often changed files were taken. */
  get reloadCount(): number {
    return this.#reloadCount
  }

  /** Whether the files have changed and cannot be used. */
  get isStale(): boolean {
    return this.#reported !== undefined
  }

  /** Calls `listener` after each change of the files that can be used. */
  onChange(listener: (material: TlsMaterial) => void): void {
    this.#listeners.add(listener)
  }

  /** Looks at the files no more. */
  close(): void {
    this.#cancel()
    this.#listeners.clear()
  }

  /** Looks at the files now. It is called every second; a test may call it too. */
  poll(): void {
    this.#expiryLog.check(this.expiries)
    const state = stateOf(this.#options.paths)
    if (state === this.#seen) return this.#clear()
    try {
      const material = this.#read()
      // A file that was replaced while it was read is read again.
      if (stateOf(this.#options.paths) !== state) return
      this.#seen = state
      this.#clear()
      this.#take(material)
    } catch (error) {
      if (!(error instanceof TlsFileError)) throw error
      this.#refuse(state, error)
    }
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.after(POLL_MS, () => {
      this.poll()
      this.#schedule()
    })
  }

  #read(): TlsMaterial {
    const { paths, objection, now } = this.#options
    const material = readMaterial(paths)
    const reason = objection?.(material)
    if (reason !== undefined) throw new TlsFileError(`${paths.certFile} ${reason}`)
    const isWorse = isOver(material, now()) && this.#material !== undefined && !isOver(this.#material, now())
    if (isWorse) throw new TlsFileError(`${paths.certFile} holds a certificate that has expired`)
    return material
  }

  /** The files can be used, or are again those that are in use. */
  #clear(): void {
    this.#bad = undefined
    this.#reported = undefined
  }

  #take(material: TlsMaterial): void {
    const { logger, name, paths } = this.#options
    this.#material = material
    this.#reloadCount += 1
    const { subject, serialNumber: serial, validTo } = material.certificate
    logger.info(
      { certificate: name, ...paths, subject, serial, validTo, authorities: material.authorities.length },
      'the changed certificate files are in use for new connections',
    )
    this.#warnOfReaders()
    this.#expiryLog.check(this.expiries)
    for (const listener of this.#listeners) listener(material)
  }

  /** A link counts as the file that it leads to. */
  #warnOfReaders(): void {
    const { logger, paths } = this.#options
    const { keyFile } = paths
    const found = statOf(keyFile)
    if (found === undefined || !isReadByOthers(found)) return
    logger.warn(
      { keyFile },
      `other users can read the private key in ${keyFile}: protect it with "chmod 600 ${keyFile}"`,
    )
  }

  /** Reports files that were bad at two looks: between the first and the last file of a change, all are. */
  #refuse(state: string, { message }: TlsFileError): void {
    const wasBad = this.#bad === state
    this.#bad = state
    if (!wasBad || this.#reported === state) return
    this.#reported = state
    const { logger, paths } = this.#options
    logger.error({ ...paths }, `${message}: the files are not used, and those before them stay in use`)
  }
}

function isOver({ certificate }: TlsMaterial, now: Date): boolean {
  return certificate.validToDate <= now
}

/** A text that changes when one of the files is replaced or written. */
function stateOf({ certFile, keyFile, caFile }: TlsPaths): string {
  return [certFile, keyFile, ...(caFile === undefined ? [] : [caFile])].map(stateOfFile).join(' ')
}

function stateOfFile(file: string): string {
  try {
    const { dev, ino, mtimeNs, size } = statSync(file, { bigint: true })
    return `${dev}:${ino}:${mtimeNs}:${size}`
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}
