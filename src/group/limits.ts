/** The limits of a group, all inclusive. Lengths are in characters (Unicode code points). */

export const GROUP_ID_LENGTH_MAX = 256
export const DESCRIPTION_LENGTH_MAX = 1_024
export const LABELS_MAX = 64
export const LABEL_KEY_LENGTH_MAX = 63
export const LABEL_VALUE_LENGTH_MAX = 256
export const MEMBER_ID_LENGTH_MAX = 256
export const MEMBER_ROLE_LENGTH_MAX = 64
