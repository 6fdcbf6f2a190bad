/** The limits of a group, all inclusive. Lengths are in characters (Unicode code points). */

/**
 * The largest version that a restore takes. Each change adds one, so no version comes near 2^53, above which
 * integers are no longer exact.
 */
export const VERSION_MAX = 2 ** 48

export const GROUP_ID_LENGTH_MAX = 256
export const DESCRIPTION_LENGTH_MAX = 1_024
export const LABELS_MAX = 64
export const LABEL_KEY_LENGTH_MAX = 63
export const LABEL_VALUE_LENGTH_MAX = 256
export const MEMBER_ID_LENGTH_MAX = 256
export const MEMBER_ROLE_LENGTH_MAX = 64
