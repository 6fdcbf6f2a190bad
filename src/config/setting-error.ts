/**
 * A setting that cannot be used. The message is one sentence: which, from where, what was expected, what was
 * found.
 */
export class SettingError extends Error {
  override readonly name = 'SettingError'
}
