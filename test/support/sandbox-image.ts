/** The image that tests run sandboxes from. */
export const SANDBOX_IMAGE = "deckhand/sandbox:dev";
