/** The lab cannot go on here: one line for people, with what to do where that is known. */
export class LabError extends Error {}
