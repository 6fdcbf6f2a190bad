/**
 * A setting that cannot be used. The message is one sentence. It names the setting, its source, what was
 * expected and what was found.
 */
export class SettingError extends Error {
  override readonly name = 'SettingError'
}
