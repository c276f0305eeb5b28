import Authority
