// Never answers: its CPU limit ends it.
export default {
  fetch() {
    for (;;);
  },
};
