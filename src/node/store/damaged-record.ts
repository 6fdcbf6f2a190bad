/**
 * A record that is not what was written: the disk, or something between it and this program, has changed it.
 * What the node promised and accepted for this key is lost. All other keys are as they were.
 */
export class DamagedRecordError extends Error {
  override name = 'DamagedRecordError'
  readonly key: string

  constructor(key: string, reason: string) {
    super(`the record of '${key}' is damaged: ${reason}`)
    this.key = key
  }
}
