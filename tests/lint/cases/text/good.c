int a; /* a method of todo lists; see /etc/hosts and /var/work/x */
